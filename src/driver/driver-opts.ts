import { nearestHint } from "../core/index.js";
import { DriverError } from "./driver-error.js";

/** Driver options of a `docker-container` builder: of the container that BuildKit runs in. Each is a text, as behind `--driver-opt`. */
export type DockerContainerOpts = {
  /** BuildKit's image. Default `moby/buildkit:buildx-stable-1`. */
  image?: string;
  /** Network mode: `host`, `bridge`, `container:NAME`, or a network's name. */
  network?: string;
  /** Most memory, such as `2g`. */
  memory?: string;
  /** Most memory and swap together, such as `4g`; `-1`: no limit of swap. */
  "memory-swap"?: string;
  /** CPU time in µs that each {@link "cpu-period"} gives. */
  "cpu-quota"?: string;
  /** Length of the scheduler's period in µs. */
  "cpu-period"?: string;
  /** Weight of CPU time, against other containers' 1024. */
  "cpu-shares"?: string;
  /** CPUs, such as `0-3` or `0,1`. */
  "cpuset-cpus"?: string;
  /** Memory nodes, such as `0-1`. */
  "cpuset-mems"?: string;
  /** Parent cgroup, where the engine's cgroup driver is `cgroupfs`. Default `/docker/buildx`. */
  "cgroup-parent"?: string;
  /** `no`, `always`, `unless-stopped` or `on-failure:RETRIES`. Default `unless-stopped`. */
  "restart-policy"?: string;
  /** `true`: a build that names no output is loaded into the engine. */
  "default-load"?: string;
  /** `false`: no facts of the GitHub workflow in provenance. Default `true`. */
  "provenance-add-gha"?: string;
  /** `true`: an image of BuildKit that is not signed is taken (buildx reads it; slipway asks for no signature). */
  "allow-untrusted-image"?: string;
  /** A variable of the container, such as `env.HTTP_PROXY`. */
  [variable: `env.${string}`]: string;
};

/** Driver options of a `remote` builder. Paths are absolute. */
export type RemoteOpts = {
  /** Certificate authority of the daemon; with it TLS is spoken. */
  cacert?: string;
  /** Certificate of the client. */
  cert?: string;
  /** Key of the client's certificate. */
  key?: string;
  /** Name in the daemon's certificate. Default the host of the address. */
  servername?: string;
  /** `true`: a build that names no output is loaded into the engine. */
  "default-load"?: string;
};

/** Driver options of a `kubernetes` builder. Amounts are in Kubernetes' notation: `500m`, `2`, `4Gi`. */
export type KubernetesOpts = {
  /** BuildKit's image. Default `moby/buildkit:buildx-stable-1`, with {@link rootless} `moby/buildkit:buildx-stable-1-rootless`. */
  image?: string;
  /** Namespace of all that is made. Default that of the kubeconfig's context. */
  namespace?: string;
  /** Pods of the node. Default `1`. */
  replicas?: string;
  /** CPUs that each pod asks for. */
  "requests.cpu"?: string;
  /** Memory that each pod asks for. */
  "requests.memory"?: string;
  /** Disk of the machine that each pod asks for. */
  "requests.ephemeral-storage"?: string;
  /** Size of a volume claim for each pod's state and cache: a StatefulSet is made. */
  "persistent-volume-claim.requests.storage"?: string;
  /** Most CPUs of each pod. */
  "limits.cpu"?: string;
  /** Most memory of each pod. */
  "limits.memory"?: string;
  /** Most disk of the machine of each pod. */
  "limits.ephemeral-storage"?: string;
  /** `true`: without root and without privileges. */
  rootless?: string;
  /** Scheduler of the pods. */
  schedulername?: string;
  /** Account of the pods. */
  serviceaccount?: string;
  /** Labels that a machine must have: `key=value,…`. */
  nodeselector?: string;
  /** Annotations of all that is made: `key=value,…`. */
  annotations?: string;
  /** Labels of all that is made: `key=value,…`. */
  labels?: string;
  /** Taints that pods put up with: `key=…,operator=…,value=…,effect=…;…`. */
  tolerations?: string;
  /** Among several pods, `sticky` (default): the same context goes to the same pod; or `random`. */
  loadbalance?: string;
  /** `true`: emulators of other platforms are installed on the pod's machine. */
  "qemu.install"?: string;
  /** Image of the emulators. Default `tonistiigi/binfmt:latest`. */
  "qemu.image"?: string;
  /** Size of a volume in memory for state and cache. */
  "buildkit-root-volume-memory"?: string;
  /** `true`: a build that names no output is loaded into the engine. */
  "default-load"?: string;
  /** How long pods may take until they run, such as `2m30s`. Default `120s`. */
  timeout?: string;
  /** A variable of the container, such as `env.HTTP_PROXY`. */
  [variable: `env.${string}`]: string;
};

/** Driver options: which there are follows from the driver. */
export type DriverOpts = DockerContainerOpts | KubernetesOpts | RemoteOpts;

/** What is said of an option that a driver does not have. */
export function unknownOption(name: string, driver: string, known: readonly string[]): DriverError {
  const hint = nearestHint(name, known);
  return new DriverError(
    "DRIVER_OPTION",
    `invalid driver option ${name} for ${driver} driver${hint}${hint ? ";" : ":"} its options are ${known.join(", ")}`,
  );
}
