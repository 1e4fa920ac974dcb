# The `slipway` of this checkout.

# Bundles it when it is missing or older than its source. When that fails, the library's tests can still run.
build_slipway() {
  local bundle=$checkout/dist/command.cjs
  if [ -e "$bundle" ] && [ -z "$(find "$checkout/src" "$checkout/package.json" -newer "$bundle" -type f -print -quit)" ]; then
    return 0
  fi
  rm -f "$bundle"
  (cd "$checkout" && quietly npm run -s build:cli) || say "going on without the slipway command"
}

# link_slipway DIR: makes DIR a folder for PATH that holds the commands.
link_slipway() {
  mkdir -p "$1"
  if [ -e "$checkout/dist/command.cjs" ]; then
    ln -sf "$checkout/dist/command.cjs" "$1/slipway"
    ln -sf "$checkout/dist/docker.cjs" "$1/slipway-docker"
  else
    printf '#!/bin/sh\necho "testbed: this slipway could not be built" >&2\nexit 125\n' >"$1/slipway"
    chmod +x "$1/slipway"
  fi
}
