# Docker 29 from source: no Debian release has it, and the Go proxy does. It is built only when its engine is asked for.
# docker-proxy, docker-init and the containerd that it manages are those of Docker 28's packages.

docker_29=docker-$docker_29_version-runc-$newer_runc_version

# fill_docker_29: in the cache, what `dockerd` of Docker 29 needs.
fill_docker_29() {
  once docker-28-containerd unpack_debs forky amd64 docker.io containerd
  once "$docker_29" build_docker_29
}

# build_docker_29 DIR
build_docker_29() {
  local target=$1 libraries status=0
  command -v go >/dev/null || die "Go is needed to build Docker 29"
  libraries=$(mktemp -d)
  build_dockerd "$target" && build_runc "$target" "$libraries" || status=$?
  rm -rf "$libraries"
  return $status
}

# `go build` in a throw-away module, as for BuildKit.
build_dockerd() {
  local target=$1 moby=github.com/moby/moby/v2 module
  module=$(mktemp -d)
  (
    cd "$module"
    export CGO_ENABLED=0
    quietly go mod init testbed &&
      quietly go get "$moby/cmd/dockerd@$docker_29_module" &&
      quietly go build -tags "exclude_graphdriver_btrfs netgo osusergo" \
        -ldflags "-s -w -X $moby/dockerversion.Version=$docker_29_version" -o "$target/" $moby/cmd/dockerd
  ) || return 1
  rm -rf "$module"
}

# Docker 29 asks for namespaces that Debian 12's runc does not know, and forky's needs a newer libc. Its own builder
# needs one that knows seccomp; linked in, so that the machine's libseccomp does not matter.
build_runc() {
  local target=$1 libraries=$2 module
  unpack_debs bookworm amd64 libseccomp-dev "$libraries" || return 1
  module=$(mktemp -d)
  libraries=$libraries/usr
  printf '#!/bin/sh\ncase "$*" in *--modversion*) echo 2.5.4 ;; *--cflags*) echo "-I%s" ;; esac\ncase "$*" in *--libs*) echo "%s" ;; esac\n' \
    "$libraries/include" "$libraries/lib/x86_64-linux-gnu/libseccomp.a" >"$module/pkg-config"
  chmod +x "$module/pkg-config"
  (
    cd "$module"
    export CGO_ENABLED=1 PKG_CONFIG=$module/pkg-config CGO_CFLAGS="-O2 -I$libraries/include"
    quietly go mod init testbed &&
      quietly go get "github.com/opencontainers/runc@$newer_runc_version" &&
      quietly go build -tags seccomp -ldflags "-s -w -X main.version=${newer_runc_version#v}" -o "$target/" \
        github.com/opencontainers/runc
  ) || return 1
  rm -rf "$module"
}
