# dockerd with roots of its own: Debian's (classic store), or a newer one with containerd's image store.
# Each has its own programs first on PATH: containerd, docker-proxy, and Docker 29 its runc.

engine_socket=$run_state/docker.sock

start_engine() {
  mkdir -p "$run_data/docker"
  docker_config >"$run_data/daemon.json"
  # Its own builder starts containers by itself, not by the engine's default runtime.
  [ "$engine" != docker-29 ] || local -x DOCKER_BUILDKIT_RUNC_COMMAND=$testbed/lib/runc-without-resource-limits
  PATH=$(docker_path) in_background "$run_data/engine.log" dockerd --config-file "$run_data/daemon.json"
  until_true 60 engine_answers
}

docker_path() {
  local newer=$cache/docker-28-containerd/usr
  [ "$engine" != docker-29 ] || printf %s "$cache/$docker_29:"
  [ "$engine" = docker ] || printf %s "$newer/sbin:$newer/bin:"
  printf '%s\n' "$PATH:/usr/sbin:/sbin"
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
