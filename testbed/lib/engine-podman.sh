# Podman's service, which speaks the Engine API, with roots and configuration of its own.

engine_socket=$run_state/podman.sock

start_engine() {
  local data=$run_data/podman
  # Where Podman keeps the locks that all its processes on a machine share.
  mount -t tmpfs tmpfs /dev/shm
  mkdir -p "$data"
  cat >"$data/storage.conf" <<TOML
[storage]
driver = "overlay"
graphroot = "$data/root"
runroot = "$run_state/podman"
TOML
  cat >"$data/containers.conf" <<TOML
[network]
network_backend = "netavark"
network_config_dir = "$data/networks"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "testbed"
tmp_dir = "$run_state/libpod"
[engine.runtimes]
testbed = ["$testbed/lib/runc-without-resource-limits"]
TOML
  cat >"$data/registries.conf" <<TOML
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
  CONTAINERS_STORAGE_CONF=$data/storage.conf CONTAINERS_CONF=$data/containers.conf \
    CONTAINERS_REGISTRIES_CONF=$data/registries.conf \
    in_background "$run_data/engine.log" podman system service --time 0 "unix://$engine_socket"
  until_true 60 engine_answers
}
