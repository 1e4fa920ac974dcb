# The `slipway` of this checkout.

# Bundles it when it is missing or older than its source.
build_slipway() {
  local bundle=$checkout/dist/slipway.mjs
  [ -e "$checkout/src/cli/main.ts" ] || return 0
  if [ -e "$bundle" ] && [ -z "$(find "$checkout/src" "$checkout/package.json" -newer "$bundle" -type f -print -quit)" ]; then
    return 0
  fi
  (cd "$checkout" && npm run -s build:cli >&2) || die "cannot build slipway"
}

# link_slipway DIR: makes DIR a folder for PATH that holds the command.
link_slipway() {
  mkdir -p "$1"
  [ ! -e "$checkout/dist/slipway.mjs" ] || ln -sf "$checkout/dist/slipway.mjs" "$1/slipway"
}
