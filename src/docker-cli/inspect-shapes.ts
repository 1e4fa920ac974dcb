import { type Shape, fields, flag, list, map, number, struct, text } from "./typed-data.js";

/** What runs in a container or image (moby api/types/container Config). */
const config = struct({
  ...fields(text, "Hostname", "Domainname", "User", "Image", "WorkingDir"),
  ...fields(flag, "AttachStdin", "AttachStdout", "AttachStderr", "Tty", "OpenStdin", "StdinOnce"),
  ...fields(list, "Env", "Cmd", "Entrypoint", "OnBuild"),
  ...fields(map, "ExposedPorts", "Volumes", "Labels"),
});

/** An image (moby api/types/image InspectResponse). */
export const imageShape: Shape = struct({
  ...fields(text, "Id", "Parent", "Comment", "Created", "DockerVersion", "Author"),
  ...fields(text, "Architecture", "Variant", "Os", "OsVersion"),
  ...fields(list, "RepoTags", "RepoDigests", "Manifests"),
  ...fields(number, "Size", "VirtualSize"),
  Config: config,
  GraphDriver: struct({ Name: text, Data: map }),
  RootFS: struct({ Type: text, Layers: list }),
  Metadata: struct({ LastTagTime: text }),
});

/** A container (moby api/types/container InspectResponse). */
export const containerShape: Shape = struct({
  ...fields(text, "Id", "Created", "Path", "Image", "ResolvConfPath", "HostnamePath", "HostsPath", "LogPath"),
  ...fields(text, "Name", "Driver", "Platform", "MountLabel", "ProcessLabel", "AppArmorProfile"),
  ...fields(list, "Args", "ExecIDs", "Mounts"),
  RestartCount: number,
  State: struct({
    ...fields(text, "Status", "Error", "StartedAt", "FinishedAt"),
    ...fields(flag, "Running", "Paused", "Restarting", "OOMKilled", "Dead"),
    ...fields(number, "Pid", "ExitCode"),
  }),
  HostConfig: struct({
    ...fields(list, "Binds", "CapAdd", "CapDrop", "Dns", "DnsOptions", "DnsSearch", "ExtraHosts", "GroupAdd"),
    ...fields(list, "Links", "SecurityOpt", "Mounts", "VolumesFrom", "DeviceRequests", "Devices", "Ulimits"),
    ...fields(map, "PortBindings", "Tmpfs", "Sysctls", "StorageOpt", "Annotations"),
    ...fields(text, "NetworkMode", "PidMode", "IpcMode", "UTSMode", "UsernsMode", "Runtime", "CgroupParent"),
    ...fields(flag, "AutoRemove", "Privileged", "PublishAllPorts", "ReadonlyRootfs"),
    ...fields(number, "ShmSize", "Memory", "NanoCpus", "CpuShares", "MemorySwap"),
    RestartPolicy: struct({ Name: text, MaximumRetryCount: number }),
  }),
  GraphDriver: struct({ Name: text, Data: map }),
  Config: config,
  NetworkSettings: struct({
    ...fields(text, "SandboxID", "SandboxKey", "EndpointID", "Gateway", "IPAddress", "MacAddress", "Bridge"),
    ...fields(map, "Ports", "Networks"),
    IPPrefixLen: number,
  }),
});

/** A network (moby api/types/network Inspect). */
export const networkShape: Shape = struct({
  ...fields(text, "Name", "Id", "Created", "Scope", "Driver"),
  ...fields(flag, "EnableIPv4", "EnableIPv6", "Internal", "Attachable", "Ingress", "ConfigOnly"),
  ...fields(map, "Containers", "Options", "Labels"),
  IPAM: struct({ Driver: text, Options: map, Config: list }),
});

/** A volume (moby api/types/volume Volume). */
export const volumeShape: Shape = struct({
  ...fields(text, "CreatedAt", "Driver", "Mountpoint", "Name", "Scope"),
  ...fields(map, "Labels", "Options"),
});
