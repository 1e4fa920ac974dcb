# Engines that an ordinary user runs: dockerd under RootlessKit (rootless-docker), Podman's service (rootless-podman).
# The user and its subordinate ids are those of this run alone: in files that only its mount namespace sees.

rootless_user=slipway-rootless
rootless_id=48231
engine_socket=$run_state/rootless/engine.sock

start_engine() {
  local home=$run_data/rootless
  add_user "$home"
  mkdir -p "$home/.config/docker" "$home/.config/containers" "$run_state/rootless"
  # The user's programs pass them on the way to what is theirs.
  chmod 711 "$run_state" "$run_data"
  case $engine in
    rootless-docker) rootless_docker_config >"$home/.config/docker/daemon.json" ;;
    rootless-podman) rootless_podman_config "$home/.config/containers" ;;
  esac
  chown -R $rootless_id:$rootless_id "$home" "$run_state/rootless"
  open_tun
  case $engine in
    rootless-docker) as_user "$home" /usr/share/docker.io/contrib/dockerd-rootless.sh --host "unix://$engine_socket" \
      --data-root "$home/docker" --exec-root "$run_state/rootless/docker" --pidfile "$run_state/rootless/docker.pid" \
      --config-file "$home/.config/docker/daemon.json" ;;
    rootless-podman) as_user "$home" podman system service --time 0 "unix://$engine_socket" ;;
  esac
  until_true 60 engine_answers
}

# slirp4netns opens it as the user, to whom a machine without udev does not give it. The machine's own stays as it is.
open_tun() {
  mknod -m 666 "$run_data/tun" c 10 200
  mount --bind "$run_data/tun" /dev/net/tun
}

# as_user HOME COMMAND…, in the background.
as_user() {
  local home=$1
  shift
  in_background "$run_data/engine.log" setpriv --reuid $rootless_id --regid $rootless_id --clear-groups \
    env -i HOME="$home" USER=$rootless_user XDG_RUNTIME_DIR="$run_state/rootless" PATH="$PATH:/usr/sbin:/sbin" "$@"
}

add_user() {
  local file
  for file in passwd group subuid subgid; do
    cp "/etc/$file" "$run_data/$file"
    mount --bind "$run_data/$file" "/etc/$file"
  done
  echo "$rootless_user:x:$rootless_id:$rootless_id::$1:/bin/sh" >>/etc/passwd
  echo "$rootless_user:x:$rootless_id:" >>/etc/group
  echo "$rootless_user:500000:65536" | tee -a /etc/subuid >>/etc/subgid
}

rootless_docker_config() {
  cat <<JSON
{
  "registry-mirrors": ["http://$TESTBED_REGISTRY"],
  "insecure-registries": ["$TESTBED_REGISTRY"]
}
JSON
}

rootless_podman_config() {
  cat >"$1/storage.conf" <<TOML
[storage]
driver = "overlay"
TOML
  cat >"$1/containers.conf" <<TOML
[network]
network_backend = "netavark"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
TOML
  cat >"$1/registries.conf" <<TOML
unqualified-search-registries = ["docker.io"]
[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "$TESTBED_REGISTRY"
insecure = true
[[registry]]
location = "$TESTBED_REGISTRY"
insecure = true
TOML
}
