# What is fetched and built once and kept outside of the checkout. Every entry is made under a temporary name and
# renamed, under a lock of its own: a run finds it whole or not at all, and two runs do not make the same thing.

. "$testbed/lib/docker-29.sh"
. "$testbed/lib/kubernetes-programs.sh"

# once ENTRY COMMAND…: makes the directory $cache/ENTRY with COMMAND, whose last argument is where to put it.
once() {
  local entry=$cache/$1 making
  shift
  [ ! -e "$entry" ] || return 0
  mkdir -p "$cache/bin"
  exec 7>"$entry.lock"
  flock 7
  if [ ! -e "$entry" ]; then
    say "making ${entry#"$cache"/}, once"
    rm -rf "$entry".tmp.*
    making=$(mktemp -d "$entry.tmp.XXXXXX")
    chmod 755 "$making"
    "$@" "$making" 7>&- || die "could not make $entry"
    mv -T "$making" "$entry"
  fi
  exec 7>&-
}

# Fills the cache with what the engine needs.
fill_cache() {
  install_packages "$1"
  once "buildkit-$buildkit_version" build_buildkit "$buildkit_version"
  once "buildkit-$oldest_buildkit_version" build_buildkit "$oldest_buildkit_version"
  once "buildx-$buildx_version" build_buildx "$buildx_version"
  local version
  for version in $TESTBED_BUILDKITS; do once "buildkit-$version" build_buildkit "$version"; done
  link_programs "buildkit-$buildkit_version/"{buildkitd,buildctl,dockerfile-frontend} "buildx-$buildx_version/buildx"
  [ "$1" != docker-containerd ] || once docker-28-containerd unpack_debs forky amd64 docker.io containerd
  [ "$1" != docker-29 ] || fill_docker_29
  fill_browser
  once busybox-arm64 unpack_debs bookworm arm64 busybox-static
  [ -z "$with_kubernetes" ] || fill_kubernetes
  [ -z "$with_compose" ] || once "compose-$compose_version" build_compose "$compose_version"
  images=registry-$buildkit_version-$(cat "$testbed"/images/*.mjs | sha256sum | cut -c 1-12)
  once "$images" make_registry
}

# Without a browser, all tests but the browser's can run; that one fails, and what is said here is why.
fill_browser() {
  (once "$browser" unpack_browser) || true
}

# link_programs PROGRAM…: into $cache/bin, for people. A link that is right is not touched: someone may be using it.
link_programs() {
  local program link
  for program; do
    link=$cache/bin/${program##*/}
    [ "$(readlink "$link")" = "../$program" ] || { ln -s "../$program" "$link.$$" && mv -T "$link.$$" "$link"; }
  done
}

# install_packages ENGINE: the Debian packages whose programs are not there yet.
install_packages() {
  local missing=() command package
  while read -r command package; do
    [ -n "$(PATH=$PATH:/usr/sbin:/sbin command -v "$command")" ] || missing+=("$package")
  done < <(programs_of "$1")
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "not a Debian machine, and these are missing: ${missing[*]}"
  say "installing ${missing[*]}"
  exec 7>"$runs.apt.lock"
  flock 7
  # The packages' services are not to start: each run starts its own.
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
  else
    policy=
  fi
  export DEBIAN_FRONTEND=noninteractive
  quietly apt-get -o DPkg::Lock::Timeout=300 update || true
  quietly apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}" ||
    { rm -f ${policy:+"$policy"}; die "cannot install ${missing[*]}"; }
  rm -f ${policy:+"$policy"}
  exec 7>&-
}

programs_of() {
  cat <<'LIST'
curl curl
git git
ssh-agent openssh-client
ip iproute2
setpriv util-linux
iptables iptables
runc runc
tini tini
docker-registry docker-registry
redis-check-rdb redis-tools
ssh openssh-client
sshd openssh-server
tmux tmux
openssl openssl
qemu-aarch64-static qemu-user-static
LIST
  # A busybox that is linked with libraries would not do, and its name does not tell.
  [ -e /usr/share/doc/busybox-static ] || echo "- busybox-static"
  [ -e /etc/ssl/certs/ca-certificates.crt ] || echo "- ca-certificates"
  case $1 in
    docker) printf '%s\n' "dockerd docker.io" "containerd containerd" ;;
    docker-29)
      # To build its runc.
      [ -e "$cache/$docker_29" ] || echo "gcc gcc"
      [ -e "$cache/$docker_29" ] || [ -e /usr/include/stdio.h ] || echo "- libc6-dev"
      ;;
    rootless-docker) printf '%s\n' "dockerd docker.io" "rootlesskit rootlesskit" "newuidmap uidmap" "slirp4netns slirp4netns" ;;
    podman | rootless-podman)
      printf '%s\n' "podman podman" "catatonit catatonit"
      # Their programs are not on PATH.
      [ -e /usr/lib/podman/netavark ] || echo "- netavark"
      [ -e /usr/lib/podman/aardvark-dns ] || echo "- aardvark-dns"
      [ "$1" = podman ] || printf '%s\n' "newuidmap uidmap" "slirp4netns slirp4netns"
      ;;
  esac
}

# build_buildkit VERSION DIR. `go install` refuses BuildKit's module, since its go.mod has exclude lines; another
# module may require it all the same.
build_buildkit() {
  local version=$1 target=$2 buildkit=github.com/moby/buildkit module
  local commands=("$buildkit/cmd/buildkitd" "$buildkit/cmd/buildctl" "$buildkit/frontend/dockerfile/cmd/dockerfile-frontend")
  command -v go >/dev/null || die "Go is needed to build BuildKit"
  module=$(mktemp -d)
  (
    cd "$module"
    export CGO_ENABLED=0
    quietly go mod init testbed
    quietly go get "${commands[@]/%/@$version}"
    quietly go build -ldflags "-s -w -X $buildkit/version.Version=$version" -o "$target/" "${commands[@]}"
  ) || return 1
  rm -rf "$module"
}

build_buildx() {
  local version=$1 target=$2 buildx=github.com/docker/buildx
  command -v go >/dev/null || die "Go is needed to build buildx"
  GOBIN=$target CGO_ENABLED=0 quietly go install -ldflags "-s -w -X $buildx/version.Version=$version" "$buildx/cmd/buildx@$version"
}

# build_compose VERSION DIR. `go install` refuses its module, since its go.mod replaces others.
build_compose() {
  local version=$1 target=$2 compose=github.com/docker/compose/v2 source module
  command -v go >/dev/null || die "Go is needed to build Docker Compose"
  module=$(mktemp -d)
  (
    cd "$module"
    quietly go mod init testbed
    source=$(go mod download -json "$compose@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
    cp -r "$source" source
    chmod -R u+w source
    cd source
    CGO_ENABLED=0 quietly go build -ldflags "-s -w -X $compose/internal.Version=$version" -o "$target/docker-compose" ./cmd
  ) || return 1
  rm -rf "$module"
}

# unpack_debs SUITE ARCHITECTURE PACKAGE… DIR: unpacked, not installed, with package lists of our own.
unpack_debs() {
  local suite=$1 architecture=$2 packages=("${@:3:$#-3}") target=${*: -1} work
  work=$(mktemp -d)
  (
    cd "$work"
    own_apt "$suite" "$architecture" update &&
      own_apt "$suite" "$architecture" download "${packages[@]}" &&
      for deb in *.deb; do dpkg -x "$deb" "$target" || exit; done
  ) || return 1
  rm -rf "$work"
}

# unpack_browser DIR: a headless browser with every library that it needs but libc, and a font; DIR/browser starts it.
unpack_browser() {
  local target=$1 architecture work
  architecture=$(dpkg --print-architecture)
  work=$(mktemp -d)
  (
    cd "$work"
    own_apt bookworm "$architecture" update &&
      # To an apt that knows of no installed package, all that a package needs is missing. Its locks are beside the file.
      : >status &&
      own_apt bookworm "$architecture" -o Dir::State::status="$work/status" install -y --download-only \
        --no-install-recommends chromium-headless-shell fonts-dejavu-core &&
      # libc must be of one make with the machine's loader. The others draw on graphics cards.
      rm -f archives/{libc6,libllvm15,libz3-4,libgl1-mesa-dri}_*.deb &&
      for deb in archives/*.deb; do dpkg -x "$deb" "$target" || exit; done
  ) || return 1
  rm -rf "$work"
  cat >"$target/fonts.conf" <<'XML'
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">usr/share/fonts</dir>
  <alias binding="same"><family>system-ui</family><prefer><family>DejaVu Sans</family></prefer></alias>
  <alias binding="same"><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
XML
  cat >"$target/browser" <<'SH'
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
for libraries in "$here"/lib/*-linux-gnu "$here"/usr/lib/*-linux-gnu "$here"/usr/lib/*-linux-gnu/pulseaudio; do
  LD_LIBRARY_PATH=$libraries:$LD_LIBRARY_PATH
done
export LD_LIBRARY_PATH FONTCONFIG_FILE="$here/fonts.conf"
exec "$here/usr/lib/chromium/chromium-headless-shell" "$@"
SH
  chmod +x "$target/browser"
  quietly "$target/browser" --version
}

# own_apt SUITE ARCHITECTURE ARGUMENT…: apt-get that keeps everything in the current directory.
own_apt() {
  local suite=$1 architecture=$2 origin="deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org"
  mkdir -p lists/partial archives/partial
  echo "$origin/debian $suite main" >sources
  [ "$suite" != bookworm ] || echo "$origin/debian-security $suite-security main" >>sources
  quietly apt-get -o Dir::Etc::sourcelist="$PWD/sources" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$PWD/lists" \
    -o Dir::Cache="$PWD" -o Acquire::Languages=none -o APT::Sandbox::User=root \
    -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" "${@:3}"
}

# make_registry DIR: the storage of a registry that holds the images of testbed/images.
make_registry() {
  local target=$1 port registry status=0
  port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
  registry_config "$target" "127.0.0.1:$port" >"$target.yml"
  docker-registry serve "$target.yml" >"$target.log" 2>&1 &
  registry=$!
  until_true 20 curl -sf "http://127.0.0.1:$port/v2/" &&
    node "$testbed/images/push-all.mjs" "127.0.0.1:$port" "$cache/buildkit-$buildkit_version" \
      "$cache/buildkit-$oldest_buildkit_version" /usr/bin/busybox "$cache/busybox-arm64/bin/busybox" >&2 || status=$?
  kill "$registry"
  wait "$registry" 2>/dev/null || true
  rm -f "$target.log" "$target.yml"
  return $status
}

# registry_config STORAGE ADDRESS
registry_config() {
  cat <<YAML
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: "$1"}, delete: {enabled: true}}
http: {addr: "$2"}
YAML
}
