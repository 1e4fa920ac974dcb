# What slipway runs on: Node in each version line that is supported, Deno, and Bun. Packages of npm carry their binaries, one
# package for each kind of machine; nothing of them is run to install them.

# fill_runtimes: into the cache, and TESTBED_NODES, TESTBED_DENO and TESTBED_BUN say where they are. TESTBED_NODES has the
# paths of all Nodes, from the oldest to the newest, with colons between.
fill_runtimes() {
  local version
  TESTBED_NODES=
  for version in $node_versions; do
    once "node-$version" install_runtime "node-linux-$(machine x64 arm64)@$version" bin/node
    TESTBED_NODES+=${TESTBED_NODES:+:}$cache/node-$version/bin/node
  done
  once "deno-$deno_version" install_runtime "@deno/linux-$(machine x64 arm64)-glibc@$deno_version" deno
  once "bun-$bun_version" install_runtime "@oven/bun-linux-$(machine x64 aarch64)@$bun_version" bin/bun
  TESTBED_DENO=$cache/deno-$deno_version/bin/deno TESTBED_BUN=$cache/bun-$bun_version/bin/bun
  export TESTBED_NODES TESTBED_DENO TESTBED_BUN
}

# use_node LINE: the Node of a version line, such as 22, is the one on the PATH from here on.
use_node() {
  local node
  for node in ${TESTBED_NODES//:/ }; do
    case ${node#"$cache/node-"} in
      "$1".* | "$1"/*) PATH=${node%/*}:$PATH; return ;;
    esac
  done
  die "no Node $1: there are $node_versions"
}

machine() {
  case $(uname -m) in x86_64) echo "$1" ;; aarch64) echo "$2" ;; *) die "no runtimes for $(uname -m)" ;; esac
}

# install_runtime PACKAGE@VERSION PROGRAM DIR: PROGRAM of the package, as DIR/bin/…
install_runtime() {
  local package=$1 program=$2 target=$3 work
  work=$(mktemp -d)
  quietly npm install --prefix "$work" --ignore-scripts --no-audit --no-fund --no-package-lock "$package" || return 1
  mkdir "$target/bin"
  mv "$work/node_modules/${package%@*}/$program" "$target/bin/"
  rm -rf "$work"
  quietly "$target/bin/${program##*/}" --version
}
