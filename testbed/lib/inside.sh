# Inside of a run's namespaces: registry and engine come up, then the command takes this script's place.
# When it ends, so does the namespaces' first process, and the kernel ends everything else.
set -euo pipefail

. "$testbed/lib/common.sh"
. "$testbed/lib/cache.sh"
. "$testbed/lib/slipway.sh"
. "$testbed/lib/binfmt.sh"
. "$testbed/lib/engine-${engine%%-*}.sh"
. "$testbed/lib/runs.sh"
pods_group=$(pods_group_of "$run_state")

# One address that means the same here, in the engine and in containers on any bridge: an address of the loopback
# device that is not 127.0.0.1 is reached through a container's default route.
registry_address=192.0.2.1
export TESTBED_REGISTRY=$registry_address:5000
[ -z "$with_kubernetes" ] || . "$testbed/lib/kubernetes.sh"

main() {
  ip link set lo up
  ip address add $registry_address/32 dev lo
  hide_run
  no_name_server
  register_emulation || say "no emulation: arm64 will not be among the platforms"
  start_registry
  [ -z "$with_kubernetes" ] || begin_kubernetes
  start_engine || { tail -n 30 "$run_data/engine.log" >&2; die "the engine did not start"; }

  [ -z "$with_kubernetes" ] || await_kubernetes

  mkdir "$run_data/buildx"
  export DOCKER_HOST=unix://$engine_socket BUILDX_CONFIG=$run_data/buildx
  export TESTBED_ENGINE=$engine TESTBED_BUILDX=$cache/buildx-$buildx_version/buildx
  export TESTBED_BUILDKITD=$cache/buildkit-$buildkit_version/buildkitd
  [ ! -e "$cache/compose-$compose_version" ] || export TESTBED_COMPOSE=$cache/compose-$compose_version/docker-compose
  export TESTBED_BROWSER=$cache/$browser/browser
  # Its reaper's image is to be had from docker.io only, and this testbed removes what tests leave.
  export TESTCONTAINERS_RYUK_DISABLED=true
  unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH DOCKER_API_VERSION BUILDX_BUILDER
  [ -n "$with_kubernetes" ] || unset KUBECONFIG
  buildkit_config >"$BUILDX_CONFIG/buildkitd.default.toml"
  link_slipway "$run_data/bin"
  PATH=$run_data/bin:$PATH
  exec "$@"
}

# Engines and runtimes leave a lot in /run, and take what they find there for their own. Only our part is the machine's.
hide_run() {
  mkdir "$run_data/hold"
  mount --bind "$runs" "$run_data/hold"
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir -p "$runs" /run/lock
  mount --move "$run_data/hold" "$runs"
}

# No name server is in reach. This one says so at once, and containers inherit it.
no_name_server() {
  local file
  file=$(readlink --canonicalize-missing /etc/resolv.conf)
  mkdir -p "$(dirname "$file")"
  touch "$file"
  echo "nameserver $registry_address" >"$run_data/resolv.conf"
  mount --bind "$run_data/resolv.conf" "$file"
}

buildkit_config() {
  cat <<TOML
[registry."docker.io"]
  mirrors = ["$TESTBED_REGISTRY"]
[registry."$TESTBED_REGISTRY"]
  http = true
TOML
}

# The registry's storage starts as a copy of the cache's. Blobs never change, so their files are shared; tags do.
start_registry() {
  local root=docker/registry/v2
  mkdir -p "$run_data/registry/$root"
  cp -al "$cache/$images/$root/blobs" "$run_data/registry/$root/"
  cp -a "$cache/$images/$root/repositories" "$run_data/registry/$root/"
  registry_config "$run_data/registry" :5000 >"$run_data/registry.yml"
  in_background "$run_data/registry.log" docker-registry serve "$run_data/registry.yml"
  until_true 20 curl -sf "http://$TESTBED_REGISTRY/v2/" || { cat "$run_data/registry.log" >&2; die "the registry did not start"; }
  local version builders=()
  for version in $TESTBED_BUILDKITS; do builders+=("$version=$cache/buildkit-$version"); done
  [ ${#builders[@]} = 0 ] || node "$testbed/images/push-builders.mjs" "$TESTBED_REGISTRY" /usr/bin/busybox "${builders[@]}" >&2 ||
    die "cannot push the builder images"
}

engine_answers() {
  [ "$(engine_request "unix://$engine_socket" GET /_ping)" = OK ]
}

# in_background LOG COMMAND…: an orphan in a session of its own, out of a terminal's Ctrl-C.
in_background() {
  local log=$1
  shift
  setsid --fork "$@" >"$log" 2>&1 </dev/null
}

main "$@"
