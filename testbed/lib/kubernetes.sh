# A Kubernetes node in the run's namespaces: etcd, the API, its controllers and scheduler, a kubelet with a containerd of its
# own. Pods have addresses on a bridge, and pull from the testbed's registry. KUBECONFIG is the way in.
#
# Nothing of it is the machine's: what goes below /var/lib and /var/log, which are fixed paths of theirs, goes into the
# run's data, the kernel's settings that a kubelet insists on are files of ours, and the control groups have a root that
# goes at the end.

kubernetes_data=$run_data/kubernetes
kubernetes_url=https://127.0.0.1:6443
kubernetes_debs=$cache/kubernetes-debs/usr

# begin_kubernetes: starts everything.
begin_kubernetes() {
  mkdir -p "$kubernetes_data"/{pki,cni,kubelet,var-lib,work,containerd} /run/etcd
  mount -t overlay overlay -o "lowerdir=/var/lib,upperdir=$kubernetes_data/var-lib,workdir=$kubernetes_data/work" /var/lib
  mount -t tmpfs tmpfs /var/log
  kernel_settings
  pod_control_groups
  kubernetes_keys
  kubernetes_files
  node "$testbed/lib/push-pause.mjs" "$TESTBED_REGISTRY" /usr/bin/busybox
  local programs=$cache/$kubernetes pki=$kubernetes_data/pki config=$kubernetes_data/admin.conf
  in_kubernetes etcd "$kubernetes_debs/bin/etcd" --data-dir /run/etcd
  in_kubernetes containerd containerd --config "$kubernetes_data/containerd.toml"
  in_kubernetes apiserver "$programs/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --secure-port=6443 \
    --bind-address=0.0.0.0 --advertise-address="$registry_address" --endpoint-reconciler-type=none \
    --tls-cert-file="$pki/server.crt" --tls-private-key-file="$pki/server.key" --client-ca-file="$pki/ca.crt" \
    --kubelet-client-certificate="$pki/admin.crt" --kubelet-client-key="$pki/admin.key" \
    --kubelet-preferred-address-types=Hostname --service-account-issuer=https://kubernetes.default.svc \
    --service-account-key-file="$pki/accounts.pub" --service-account-signing-key-file="$pki/accounts.key" \
    --service-cluster-ip-range=10.96.0.0/24 --authorization-mode=RBAC --allow-privileged=true
  in_kubernetes controller-manager "$programs/kube-controller-manager" --kubeconfig="$config" --leader-elect=false \
    --service-account-private-key-file="$pki/accounts.key" --root-ca-file="$pki/ca.crt"
  in_kubernetes scheduler "$programs/kube-scheduler" --kubeconfig="$config" --leader-elect=false
  in_kubernetes kubelet "$programs/kubelet" --config="$kubernetes_data/kubelet.yaml" --kubeconfig="$config" \
    --root-dir="$kubernetes_data/kubelet" --hostname-override=localhost --node-ip="$registry_address"
}

# await_kubernetes: until pods can be made.
await_kubernetes() {
  until_true 60 kubernetes_is_ready || {
    tail -n 15 "$kubernetes_data"/*.log >&2
    die "Kubernetes did not start"
  }
  export KUBECONFIG=$kubernetes_data/admin.conf
}

kubernetes_is_ready() {
  kubernetes_get /api/v1/namespaces/default/serviceaccounts/default >/dev/null &&
    kubernetes_get /api/v1/nodes/localhost | grep -q '"reason": *"KubeletReady"'
}

kubernetes_get() {
  local pki=$kubernetes_data/pki
  curl -sf --cacert "$pki/ca.crt" --cert "$pki/admin.crt" --key "$pki/admin.key" "$kubernetes_url$1"
}

in_kubernetes() {
  local name=$1
  shift
  PATH=$PATH:/usr/sbin:/sbin in_background "$kubernetes_data/$name.log" "$@"
}

# A kubelet writes these when they are not as it wants them, for the whole machine. It finds them so.
kernel_settings() {
  local name value file
  while read -r name value; do
    file=$kubernetes_data/${name//\//-}
    echo "$value" >"$file"
    mount --bind "$file" "/proc/sys/$name"
  done <<'LIST'
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
LIST
}

# The root of all pods' control groups; end-run.sh removes what is below. Without CPUs of its own no process can be put in.
pod_control_groups() {
  local controller group
  for controller in /sys/fs/cgroup/*/; do
    group=$controller$pods_group
    mkdir -p "$group"
    [ ! -e "$controller/cpuset.cpus" ] || cat "$controller/cpuset.cpus" >"$group/cpuset.cpus"
    [ ! -e "$controller/cpuset.mems" ] || cat "$controller/cpuset.mems" >"$group/cpuset.mems"
  done
}

kubernetes_keys() {
  local pki=$kubernetes_data/pki
  (
    cd "$pki"
    for name in ca server admin accounts; do
      quietly openssl ecparam -genkey -name prime256v1 -noout -out $name.key
    done
    openssl ec -in accounts.key -pubout -out accounts.pub 2>/dev/null
    quietly openssl req -x509 -new -key ca.key -subj /CN=testbed-ca -days 2 -out ca.crt
    printf 'subjectAltName=IP:127.0.0.1,IP:%s,IP:10.96.0.1,DNS:localhost\n' "$registry_address" >server.ext
    sign server /CN=kube-apiserver -extfile server.ext
    sign admin /O=system:masters/CN=admin
  )
}

# sign NAME SUBJECT [ARGUMENT…]
sign() {
  quietly openssl req -new -key "$1.key" -subj "$2" -out "$1.csr"
  quietly openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out "$1.crt" "${@:3}"
}

kubernetes_files() {
  local pki=$kubernetes_data/pki
  cat >"$kubernetes_data/admin.conf" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: testbed, cluster: {server: "$kubernetes_url", certificate-authority: "$pki/ca.crt"}}]
users: [{name: admin, user: {client-certificate: "$pki/admin.crt", client-key: "$pki/admin.key"}}]
contexts: [{name: testbed, context: {cluster: testbed, user: admin}}]
current-context: testbed
YAML
  cat >"$kubernetes_data/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: false}, x509: {clientCAFile: "$pki/ca.crt"}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupRoot: "/$pods_group"
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
makeIPTablesUtilChains: false
clusterDNS: ["$registry_address"]
containerRuntimeEndpoint: "unix://$run_state/k8s-containerd.sock"
evictionHard: {memory.available: "0%", nodefs.available: "0%", nodefs.inodesFree: "0%", imagefs.available: "0%"}
YAML
  cat >"$kubernetes_data/cni/testbed.conflist" <<JSON
{
  "cniVersion": "0.4.0",
  "name": "testbed",
  "plugins": [{
    "type": "bridge", "bridge": "pods0", "isGateway": true, "ipMasq": false,
    "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.88.7.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}
  }]
}
JSON
  cat >"$kubernetes_data/containerd.toml" <<TOML
version = 2
root = "$kubernetes_data/containerd"
state = "$run_state/k8s-containerd"
[grpc]
  address = "$run_state/k8s-containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  # Without CAP_SYS_RESOURCE no process can be made safer than its parent.
  restrict_oom_score_adj = true
  sandbox_image = "docker.io/testbed/pause:1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$kubernetes_debs/lib/cni"
    conf_dir = "$kubernetes_data/cni"
  [plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]
    endpoint = ["http://$TESTBED_REGISTRY"]
  [plugins."io.containerd.grpc.v1.cri".registry.mirrors."$TESTBED_REGISTRY"]
    endpoint = ["http://$TESTBED_REGISTRY"]
TOML
}
