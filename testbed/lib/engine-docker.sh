# dockerd with roots of its own: Debian's (classic store), or a newer one with containerd's image store.

engine_socket=$run_state/docker.sock

start_engine() {
  mkdir -p "$run_data/docker"
  docker_config >"$run_data/daemon.json"
  PATH=$(docker_path) in_background "$run_data/engine.log" dockerd --config-file "$run_data/daemon.json"
  engine_pid=$!
  until_true 60 engine_decided && kill -0 "$engine_pid"
}

engine_decided() {
  kill -0 "$engine_pid" || return 0
  [ "$(engine_request "unix://$engine_socket" GET /_ping)" = OK ]
}

# Asked nicely, it stops its containers and their shims.
stop_engine() {
  kill "$engine_pid" 2>/dev/null || return 0
  until_true 3 test ! -e "/proc/$engine_pid" || true
}

docker_path() {
  case $engine in
    docker) printf '%s\n' "$PATH:/usr/sbin:/sbin" ;;
    docker-containerd) printf '%s\n' "$cache/docker-containerd/usr/sbin:$cache/docker-containerd/usr/bin:$PATH:/usr/sbin:/sbin" ;;
  esac
}

docker_config() {
  local features=
  [ "$engine" = docker ] || features='"features": {"containerd-snapshotter": true},'
  cat <<JSON
{
  $features
  "hosts": ["unix://$engine_socket"],
  "data-root": "$run_data/docker",
  "exec-root": "$run_state/docker",
  "pidfile": "$run_state/docker.pid",
  "registry-mirrors": ["http://$TESTBED_REGISTRY"],
  "insecure-registries": ["$TESTBED_REGISTRY"],
  "runtimes": {"testbed": {"path": "$testbed/lib/runc-without-resource-limits"}},
  "default-runtime": "testbed"
}
JSON
}
