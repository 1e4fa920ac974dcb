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

/** Driver options: which there are follows from the driver. */
export type DriverOpts = DockerContainerOpts | RemoteOpts;

/** What is said of an option that a driver does not have. */
export function unknownOption(name: string, driver: string, known: readonly string[]): DriverError {
  const hint = nearestHint(name, known);
  return new DriverError(
    "DRIVER_OPTION",
    `invalid driver option ${name} for ${driver} driver${hint}${hint ? ";" : ":"} its options are ${known.join(", ")}`,
  );
}
