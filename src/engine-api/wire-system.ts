/** Types of the engine's API on itself, its volumes and its networks, with its own names (Docker Engine API 1.41 and later). */

/** What slipway reads of `GET /info`. */
export interface SystemInfo {
  ID: string;
  Name: string;
  ServerVersion: string;
  OSType: string;
  Architecture: string;
  OperatingSystem: string;
  KernelVersion: string;
  /** Name of the storage driver; `overlayfs` and the like are snapshotters of the containerd image store. */
  Driver: string;
  /** Pairs; `["driver-type", "io.containerd.snapshotter.v1"]` tells the containerd image store. */
  DriverStatus: [string, string][] | null;
  CgroupDriver: "cgroupfs" | "systemd" | "none" | "";
  CgroupVersion?: string;
  /** Each `name=…` with more `key=value` behind commas. */
  SecurityOptions: string[] | null;
  /** Podman's word for an ordinary user's engine; Docker's is `name=rootless` among the options above. */
  Rootless?: boolean;
  Runtimes: Record<string, { path?: string }> | null;
  DefaultRuntime: string;
  DockerRootDir: string;
  NCPU: number;
  /** Bytes. */
  MemTotal: number;
  Labels: string[] | null;
  /** The engine's clock, RFC 3339. */
  SystemTime?: string;
  /** Absent from Podman. */
  RegistryConfig?: RegistryConfig;
}

/** What the engine's configuration says of registries. */
export interface RegistryConfig {
  /** Networks whose registries need no TLS, and no certificate that can be verified. */
  InsecureRegistryCIDRs: string[] | null;
  /** By `host[:port]`. */
  IndexConfigs: Record<
    string,
    { Name: string; Mirrors: string[] | null; Secure?: boolean; Official: boolean }
  > | null;
}

/** Answer of `GET /version`. */
export interface EngineVersion {
  Version: string;
  ApiVersion: string;
  MinAPIVersion: string;
  GitCommit: string;
  Os: string;
  Arch: string;
  KernelVersion?: string;
  Platform?: { Name: string };
  Components?: { Name: string; Version: string; Details?: Record<string, string> }[];
}

/** One element of `GET /events`. */
export interface EngineEvent {
  Type: string;
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
  scope?: string;
  /** Unix seconds. */
  time: number;
  /** Unix nanoseconds, rounded by JSON to what a double holds. */
  timeNano: number;
}

/** Answer of `GET /volumes/{name}`. */
export interface Volume {
  Name: string;
  Driver: string;
  Mountpoint: string;
  CreatedAt?: string;
  Labels: Record<string, string> | null;
  Options: Record<string, string> | null;
  Scope: string;
}

/** Body of `POST /volumes/create`. */
export interface VolumeCreateBody {
  Name?: string;
  Driver?: string;
  DriverOpts?: Record<string, string>;
  Labels?: Record<string, string>;
}

/** Answer of `GET /networks/{id}`. */
export interface Network {
  Name: string;
  Id: string;
  Driver: string;
  Scope: string;
  Internal: boolean;
  /** RFC 3339. */
  Created?: string;
  /** Since API 1.48; before that every network had it. */
  EnableIPv4?: boolean;
  EnableIPv6?: boolean;
  Labels: Record<string, string> | null;
  Options: Record<string, string> | null;
  IPAM?: { Driver: string; Config: { Subnet?: string; Gateway?: string }[] | null };
  Containers?: Record<string, { Name: string; IPv4Address: string }> | null;
}

/** Body of `POST /networks/create`. */
export interface NetworkCreateBody {
  Name: string;
  Driver?: string;
  Internal?: boolean;
  Attachable?: boolean;
  EnableIPv6?: boolean;
  Labels?: Record<string, string>;
  Options?: Record<string, string>;
}
