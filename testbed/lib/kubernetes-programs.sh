# Kubernetes' servers from source: neither Debian nor a registry of packages has them, and the Go proxy does. They are built
# only when a node is asked for: `testbed/with --kubernetes`.

kubernetes=kubernetes-$kubernetes_version
kubernetes_programs="kube-apiserver kube-controller-manager kube-scheduler kubelet"

# fill_kubernetes: in the cache, what a node needs.
fill_kubernetes() {
  once kubernetes-debs unpack_debs bookworm amd64 etcd-server containernetworking-plugins
  once "$kubernetes" build_kubernetes
}

# build_kubernetes DIR: `go build` in a throw-away module, one program after the other.
build_kubernetes() {
  local target=$1 module program
  command -v go >/dev/null || die "Go is needed to build Kubernetes"
  module=$(mktemp -d)
  (
    cd "$module"
    export CGO_ENABLED=0 GOFLAGS=-mod=mod
    kubernetes_module >go.mod || exit
    for program in $kubernetes_programs; do
      say "building $program"
      quietly go build -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$kubernetes_version" -o "$target/" \
        "k8s.io/kubernetes/cmd/$program" || exit
    done
  ) || return 1
  rm -rf "$module"
}

# Its own go.mod has the libraries that are developed with it (v0.0.0) beside itself. Each is a module of the same release.
kubernetes_module() {
  local own
  own=$(cd / && go mod download -json "k8s.io/kubernetes@$kubernetes_version" | node -p 'JSON.parse(require("fs").readFileSync(0)).GoMod') || return
  printf 'module testbed\ngo 1.24.0\nrequire k8s.io/kubernetes %s\n' "$kubernetes_version"
  awk -v release="v0.${kubernetes_version#v1.}" \
    '$1 ~ /^k8s\.io\// && $2 == "v0.0.0" { print "replace " $1 " => " $1 " " release }' "$own"
}
