import { createHash } from "node:crypto";
import { smallSha256 } from "../../core/index.js";
import type {
  ContainerCreateBody,
  ContainerInspect,
  MountRequest,
  SystemInfo,
} from "../../engine-api/index.js";
import type { DockerContainerOptions } from "./options.js";

/** Where buildkitd keeps its state inside the container (buildx util/confutil/container.go). */
export const stateDirectory = "/var/lib/buildkit";
/** Where the builder's config files go inside the container. */
export const configDirectory = "/etc/buildkit";
/** Directory of buildkitd's control socket inside the container. */
export const socketDirectory = "/run/buildkit";
/** Name of the control socket in {@link socketDirectory}. */
export const socketName = "buildkitd.sock";

/** Digest of the config files that were copied in before the first start; says that a container is slipway's own (STO-6). */
export const configDigestLabel = "io.slipway.config-digest";

/** Container name of a node (buildx driver.BuilderName). */
export function containerName(nodeName: string): string {
  return `buildx_buildkit_${nodeName}`;
}

/** State volume name of a node. */
export function stateVolumeName(nodeName: string): string {
  return `${containerName(nodeName)}_state`;
}

/** The host directory that is mounted at {@link socketDirectory}, where there is one. */
export function socketMount({ Mounts }: Pick<ContainerInspect, "Mounts">): string | undefined {
  return Mounts.find(({ Type, Destination }) => Type === "bind" && Destination === socketDirectory)?.Source;
}

/** Everything that decides how a builder container is made. */
export interface ContainerPlan {
  nodeName: string;
  options: DockerContainerOptions;
  /** buildkitd flags, as stored in the node. */
  flags: readonly string[];
  /** Config files by path relative to {@link configDirectory}. */
  files: ReadonlyMap<string, Uint8Array>;
  /** More labels of the container, which its state volume gets too. */
  labels?: Readonly<Record<string, string>> | undefined;
  info: Pick<SystemInfo, "CgroupDriver" | "SecurityOptions" | "Rootless" | "Runtimes">;
  /** Host directory to mount at {@link socketDirectory}, and the group that may use the socket (design.md decision 7). */
  socket?: { directory: string; gid: number } | undefined;
  /** Read-only bind of WSL's libraries. */
  wslLibraries?: boolean;
  /** Ask for all GPUs when the engine lists an nvidia runtime. Default true. */
  gpus?: boolean;
}

/** Body of `POST /containers/create` for a builder (buildx v0.36 driver/docker-container/driver.go create). */
export function containerSpec(plan: ContainerPlan): ContainerCreateBody {
  const { options, info } = plan;
  const has = (name: string) =>
    (info.SecurityOptions ?? []).some((option) => option.split(",").includes(`name=${name}`));
  const usesCgroupfs = info.CgroupDriver === "cgroupfs";
  // A user's engine has no right to make the usual group: rootless Podman's runtime would fail over it.
  const isRootless = info.Rootless === true || has("rootless");
  const cgroupParent = options.cgroupParent || (isRootless ? undefined : "/docker/buildx");
  const mounts: MountRequest[] = [
    {
      Type: "volume",
      Source: stateVolumeName(plan.nodeName),
      Target: stateDirectory,
      ...(plan.labels && { VolumeOptions: { Labels: { ...plan.labels } } }),
    },
    ...(plan.socket
      ? [{ Type: "bind" as const, Source: plan.socket.directory, Target: socketDirectory }]
      : []),
    ...(plan.wslLibraries
      ? [{ Type: "bind" as const, Source: wslLibraries, Target: wslLibraries, ReadOnly: true }]
      : []),
  ];
  return {
    Image: options.image,
    Env: options.env,
    Cmd: daemonArguments(plan),
    Labels: { ...plan.labels, [configDigestLabel]: configDigest(plan.files) },
    HostConfig: {
      Privileged: true,
      // Build steps leave orphans behind; an init reaps them.
      Init: true,
      RestartPolicy: {
        Name: options.restartPolicy.name,
        MaximumRetryCount: options.restartPolicy.maximumRetryCount,
      },
      Mounts: mounts,
      ...(options.network && { NetworkMode: options.network }),
      ...(options.memory && { Memory: options.memory }),
      ...(options.memorySwap && { MemorySwap: options.memorySwap }),
      ...(options.cpuQuota && { CpuQuota: options.cpuQuota }),
      ...(options.cpuPeriod && { CpuPeriod: options.cpuPeriod }),
      ...(options.cpuShares && { CpuShares: options.cpuShares }),
      ...(options.cpusetCpus && { CpusetCpus: options.cpusetCpus }),
      ...(options.cpusetMems && { CpusetMems: options.cpusetMems }),
      ...(usesCgroupfs && cgroupParent && { CgroupParent: cgroupParent }),
      ...(has("userns") && { UsernsMode: "host" }),
      ...(wantsGpus(plan) && {
        DeviceRequests: [{ Driver: "", Count: -1, Capabilities: [["gpu"]], Options: {} }],
      }),
    },
  };
}

/** WSL's library directory, needed for GPUs there. */
export const wslLibraries = "/usr/lib/wsl";

/** True when the engine lists an nvidia runtime and GPUs were not turned off. */
export function wantsGpus(plan: Pick<ContainerPlan, "info" | "gpus">): boolean {
  return plan.gpus !== false && Object.hasOwn(plan.info.Runtimes ?? {}, "nvidia");
}

function daemonArguments(plan: ContainerPlan): string[] {
  const args = plan.files.has("buildkitd.toml") ? ["--config", `${configDirectory}/buildkitd.toml`] : [];
  // Flags of the user come last, so that theirs win.
  if (plan.socket) args.push("--group", String(plan.socket.gid));
  return [...args, ...plan.flags];
}

/** Of more, as with certificates, node:crypto is done sooner though it has to be loaded. */
const mostSmallBytes = 4096;

/** `sha256:…` over names and contents of the config files, independent of their order. */
export function configDigest(files: ReadonlyMap<string, Uint8Array>): string {
  const parts = [...files]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, content]) => [Buffer.from(`${name}\0${content.length}\0`), content]);
  const bytes = Buffer.concat(parts);
  const isSmall = bytes.length <= mostSmallBytes;
  return `sha256:${isSmall ? smallSha256(bytes) : createHash("sha256").update(bytes).digest("hex")}`;
}
