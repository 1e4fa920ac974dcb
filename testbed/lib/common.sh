# What every part of the testbed uses: versions, places, messages.

buildkit_version=v0.34.2
oldest_buildkit_version=v0.12.5
buildx_version=v0.38.2
compose_version=v2.40.3
kubernetes_version=v1.34.4
docker_29_module=v2.0.0-beta.24
docker_29_version=29.9.0
newer_runc_version=v1.3.3
browser=chromium-bookworm
node_versions="20.19.6 22.23.3 24.21.0 26.10.0"
deno_version=2.9.6
bun_version=1.4.5

cache=${SLIPWAY_TESTBED_CACHE:-}
if [ -z "$cache" ]; then
  [ "$(id -u)" = 0 ] && cache=/var/cache/slipway-testbed || cache=${XDG_CACHE_HOME:-$HOME/.cache}/slipway-testbed
fi

say() { printf 'testbed: %s\n' "$*" >&2; }
die() { say "$*"; exit 125; }

# Runs a command whose output matters only when it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || status=$?
  [ $status = 0 ] || { say "failed: $*"; tail -n 20 "$log" >&2; }
  rm -f "$log"
  return $status
}

# until_true SECONDS COMMAND…: asks again ten times a second.
until_true() {
  local left=$(($1 * 10))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $left -gt 0 ] || return 1
    left=$((left - 1))
    sleep 0.1
  done
}

# engine_request HOST METHOD PATH [curl arguments…]: one request to an engine, its body on stdout.
engine_request() {
  local host=$1 method=$2 path=$3
  shift 3
  case $host in
    unix://*) curl -sS --fail-with-body --unix-socket "${host#unix://}" -X "$method" "http://engine$path" "$@" ;;
    tcp://*) curl -sS --fail-with-body -X "$method" "http://${host#tcp://}$path" "$@" ;;
    *) return 1 ;;
  esac
}

# The address of an engine that is there already, if one answers.
existing_engine() {
  local host=${DOCKER_HOST:-unix:///var/run/docker.sock}
  [ -n "${DOCKER_HOST:-}" ] || [ -S /var/run/docker.sock ] || return 1
  [ "$(engine_request "$host" GET /_ping -m 5 2>/dev/null)" = OK ] || return 1
  printf '%s\n' "$host"
}
