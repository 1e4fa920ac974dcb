# An engine that is there already, with its network: the official images, and a registry in a container.
# The registry listens on 127.0.0.1, which engines take for plain HTTP without being told. A builder must be on the
# host's network to push there; to pull, any builder has the way by the bridge's gateway as a mirror.

. "$testbed/lib/cache.sh"

registry_image=registry:2
registry_label=slipway.testbed

# Whether the engine has the registry's image or can pull it.
engine_can_pull() {
  engine_request "$1" GET "/images/$registry_image/json" >/dev/null 2>&1 && return
  engine_request "$1" POST "/images/create?fromImage=${registry_image%:*}&tag=${registry_image#*:}" -m 120 >/dev/null 2>&1
  engine_request "$1" GET "/images/$registry_image/json" >/dev/null 2>&1
}

with_existing_engine() {
  local host=$1
  shift
  run_data=$(mktemp -d)
  export testbed checkout run_data DOCKER_HOST=$host
  sweep_dead_registries
  registry_container=$(start_registry_container) || { rm -rf "$run_data"; die "cannot start a registry"; }
  export registry_container

  export TESTBED_REGISTRY=127.0.0.1:$(json_value "$(inspect_registry)" '.NetworkSettings.Ports["5000/tcp"][0].HostPort')
  export TESTBED_ENGINE=existing BUILDX_CONFIG=$run_data/buildx
  if command -v go >/dev/null; then
    once "buildkit-$buildkit_version" build_buildkit "$buildkit_version"
    once "buildx-$buildx_version" build_buildx "$buildx_version"
    export TESTBED_BUILDX=$cache/buildx-$buildx_version/buildx TESTBED_BUILDKITD=$cache/buildkit-$buildkit_version/buildkitd
    [ -z "$with_compose" ] || once "compose-$compose_version" build_compose "$compose_version"
    [ ! -e "$cache/compose-$compose_version" ] || export TESTBED_COMPOSE=$cache/compose-$compose_version/docker-compose
  fi
  ! command -v dpkg >/dev/null || fill_browser
  export TESTBED_BROWSER=$cache/$browser/browser
  unset DOCKER_CONTEXT BUILDX_BUILDER
  mkdir "$BUILDX_CONFIG"
  existing_buildkit_config >"$BUILDX_CONFIG/buildkitd.default.toml"
  link_slipway "$run_data/bin"
  PATH=$run_data/bin:$PATH
  exec node "$testbed/lib/supervise.mjs" "$testbed/lib/end-existing.sh" "$@"
}

# Registries are labelled with the process that started them, on a machine of this name.
sweep_dead_registries() {
  local id machine pid
  engine_request "$DOCKER_HOST" GET "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22$registry_label%22%5D%7D" |
    node -e '
      const label = process.argv[1];
      for (const each of JSON.parse(require("fs").readFileSync(0))) console.log(each.Id, each.Labels[label]);
    ' "$registry_label" |
    while read -r id machine pid; do
      [ "$machine" = "$(uname -n)" ] && ! kill -0 "$pid" 2>/dev/null || continue
      engine_request "$DOCKER_HOST" DELETE "/containers/$id?force=1&v=1" >/dev/null || true
    done
}

start_registry_container() {
  local created id
  created=$(engine_request "$DOCKER_HOST" POST /containers/create -H 'content-type: application/json' -d '{
    "Image": "'$registry_image'", "Labels": {"'$registry_label'": "'"$(uname -n) $$"'"},
    "HostConfig": {"PortBindings": {"5000/tcp": [{"HostIp": "", "HostPort": ""}]}}}')
  id=$(json_value "$created" .Id)
  engine_request "$DOCKER_HOST" POST "/containers/$id/start" >/dev/null
  printf '%s\n' "$id"
}

inspect_registry() { engine_request "$DOCKER_HOST" GET "/containers/$registry_container/json"; }

existing_buildkit_config() {
  local gateway
  gateway=$(json_value "$(inspect_registry)" .NetworkSettings.Networks.bridge.Gateway)
  cat <<TOML
[registry."$TESTBED_REGISTRY"]
  http = true
  mirrors = ["$gateway:${TESTBED_REGISTRY#*:}"]
[registry."$gateway:${TESTBED_REGISTRY#*:}"]
  http = true
TOML
}

# json_value JSON PATH: the value at a JavaScript path.
json_value() {
  node -e 'console.log(eval(`(${process.argv[1]})${process.argv[2]}`))' "$1" "$2"
}
