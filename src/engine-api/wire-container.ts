/** Types of the engine's API on containers and execs, with its own names (Docker Engine API 1.41 and later). */

/** A mount asked for at creation (`HostConfig.Mounts`). */
export interface MountRequest {
  Type: "bind" | "volume" | "tmpfs" | "npipe" | "cluster" | "image";
  Source?: string;
  Target: string;
  ReadOnly?: boolean;
  Consistency?: string;
  BindOptions?: { Propagation?: string; CreateMountpoint?: boolean; NonRecursive?: boolean };
  /** Of the volume, where the mount makes it. */
  VolumeOptions?: {
    NoCopy?: boolean;
    Subpath?: string;
    Labels?: Record<string, string>;
    DriverConfig?: { Name?: string; Options?: Record<string, string> };
  };
  /** Size in bytes, mode as a number. */
  TmpfsOptions?: { SizeBytes?: number; Mode?: number };
}

/** A device request, e.g. for GPUs (`HostConfig.DeviceRequests`). */
export interface DeviceRequest {
  Driver?: string;
  /** -1 is all. */
  Count?: number;
  DeviceIDs?: string[];
  Capabilities?: string[][];
  Options?: Record<string, string>;
}

/** When the engine starts a container again by itself. */
export interface RestartPolicy {
  Name: string;
  MaximumRetryCount?: number;
}

/** What a container gets of its host. Sizes in bytes, CPU times in µs. */
export interface HostConfig {
  Privileged?: boolean;
  Init?: boolean;
  ReadonlyRootfs?: boolean;
  AutoRemove?: boolean;
  NetworkMode?: string;
  CgroupParent?: string;
  UsernsMode?: string;
  RestartPolicy?: RestartPolicy;
  Mounts?: MountRequest[];
  Binds?: string[] | null;
  DeviceRequests?: DeviceRequest[] | null;
  PortBindings?: Record<string, { HostIp?: string; HostPort?: string }[]> | null;
  Memory?: number;
  MemorySwap?: number;
  CpuQuota?: number;
  CpuPeriod?: number;
  CpuShares?: number;
  CpusetCpus?: string;
  CpusetMems?: string;
  NanoCpus?: number;
  MemoryReservation?: number;
  ShmSize?: number;
  PidsLimit?: number;
  CapAdd?: string[] | null;
  CapDrop?: string[] | null;
  Dns?: string[] | null;
  DnsOptions?: string[] | null;
  DnsSearch?: string[] | null;
  ExtraHosts?: string[] | null;
  GroupAdd?: string[] | null;
  Links?: string[] | null;
  SecurityOpt?: string[] | null;
  VolumesFrom?: string[] | null;
  Tmpfs?: Record<string, string>;
  Sysctls?: Record<string, string>;
  Devices?: { PathOnHost: string; PathInContainer: string; CgroupPermissions: string }[] | null;
  Ulimits?: { Name: string; Soft: number; Hard: number }[] | null;
  LogConfig?: { Type: string; Config: Record<string, string> };
  IpcMode?: string;
  PidMode?: string;
  UTSMode?: string;
  Runtime?: string;
  PublishAllPorts?: boolean;
}

/** What runs in a container. */
export interface ContainerConfig {
  Image: string;
  Env?: string[] | null;
  Cmd?: string[] | null;
  Entrypoint?: string[] | null;
  Labels?: Record<string, string> | null;
  User?: string;
  WorkingDir?: string;
  Tty?: boolean;
  ExposedPorts?: Record<string, Record<string, never>> | null;
  Hostname?: string;
  Domainname?: string;
  AttachStdin?: boolean;
  AttachStdout?: boolean;
  AttachStderr?: boolean;
  OpenStdin?: boolean;
  StdinOnce?: boolean;
  Volumes?: Record<string, Record<string, never>> | null;
  StopSignal?: string;
  /** Seconds. */
  StopTimeout?: number;
  Healthcheck?: {
    Test?: string[];
    Interval?: number;
    Timeout?: number;
    StartPeriod?: number;
    Retries?: number;
  };
}

/** Body of `POST /containers/create`. */
export interface ContainerCreateBody extends ContainerConfig {
  HostConfig?: HostConfig;
  NetworkingConfig?: {
    EndpointsConfig: Record<string, { Aliases?: string[]; IPAMConfig?: { IPv4Address?: string } }>;
  };
}

/** Answer of `POST /containers/create`. */
export interface ContainerCreated {
  Id: string;
  Warnings: string[] | null;
}

/** A container's state. Times are RFC 3339; `0001-01-01T00:00:00Z` is never. */
export interface ContainerState {
  Status: "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";
  Running: boolean;
  Paused: boolean;
  Restarting: boolean;
  OOMKilled: boolean;
  Dead: boolean;
  /** 0 when not running. As the engine's host numbers processes. */
  Pid: number;
  ExitCode: number;
  Error: string;
  StartedAt: string;
  FinishedAt: string;
}

/** A mount that a container has. */
export interface MountPoint {
  Type: string;
  /** Name of the volume. */
  Name?: string;
  Source: string;
  Destination: string;
  RW: boolean;
}

/** A container's place in one network. */
export interface EndpointSettings {
  NetworkID: string;
  IPAddress: string;
  Gateway?: string;
  Aliases?: string[] | null;
}

/** Answer of `GET /containers/{id}/json`. */
export interface ContainerInspect {
  Id: string;
  /** With a slash in front. */
  Name: string;
  Created: string;
  /** Id of the image. */
  Image: string;
  State: ContainerState;
  Config: ContainerConfig;
  HostConfig: HostConfig;
  Mounts: MountPoint[];
  /** By network. Engines of API 1.52 and later give the addresses in the default bridge only here. */
  NetworkSettings: { Networks: Record<string, EndpointSettings> };
  RestartCount?: number;
}

/** One row of `GET /containers/json`. */
export interface ContainerSummary {
  Id: string;
  Names: string[];
  Image: string;
  ImageID: string;
  Command: string;
  /** Unix seconds. */
  Created: number;
  State: string;
  Status: string;
  Labels: Record<string, string>;
  Mounts: MountPoint[];
  Ports?: { IP?: string; PrivatePort: number; PublicPort?: number; Type: string }[] | null;
  NetworkSettings?: { Networks: Record<string, EndpointSettings> | null } | null;
  /** Bytes; only when asked for. */
  SizeRw?: number;
  SizeRootFs?: number;
}

/** Answer of `POST /containers/{id}/wait`. */
export interface ContainerWait {
  StatusCode: number;
  Error?: { Message: string } | null;
}

/** Body of `POST /containers/{id}/exec`. */
export interface ExecCreateBody {
  Cmd: string[];
  AttachStdin?: boolean;
  AttachStdout?: boolean;
  AttachStderr?: boolean;
  Tty?: boolean;
  Privileged?: boolean;
  User?: string;
  WorkingDir?: string;
  Env?: string[];
}

/** Answer of `GET /exec/{id}/json`. */
export interface ExecInspect {
  ID: string;
  Running: boolean;
  ExitCode: number | null;
  Pid: number;
  ContainerID: string;
}
