import type { BuildConfig } from "../../../manage/index.js";

/** One option of a build: its name in the library, in Go's JSON and in the text. */
export interface ConfigField {
  key: Exclude<keyof BuildConfig, "rest">;
  field: string;
  label: string;
  /** The value is an amount of bytes. */
  bytes?: boolean;
}

/** Options in the order in which the text has them; JSON has two in another (buildx v0.36 commands/history/inspect.go). */
export const configFields: readonly ConfigField[] = [
  { key: "network", field: "Network", label: "Network" },
  { key: "hostname", field: "Hostname", label: "Hostname" },
  { key: "extraHosts", field: "ExtraHosts", label: "Extra Hosts" },
  { key: "cgroupParent", field: "CgroupParent", label: "Cgroup Parent" },
  { key: "imageResolveMode", field: "ImageResolveMode", label: "Image Resolve Mode" },
  { key: "multiPlatform", field: "MultiPlatform", label: "Multi-Platform" },
  { key: "noCache", field: "NoCache", label: "No Cache" },
  { key: "noCacheFilter", field: "NoCacheFilter", label: "No Cache Filter" },
  { key: "shmSize", field: "ShmSize", label: "Shm Size" },
  { key: "ulimit", field: "Ulimit", label: "Resource Limits" },
  { key: "memory", field: "Memory", label: "Memory", bytes: true },
  { key: "memorySwap", field: "MemorySwap", label: "Memory Swap", bytes: true },
  { key: "cpuShares", field: "CPUShares", label: "CPU Shares" },
  { key: "cpuPeriod", field: "CPUPeriod", label: "CPU Period" },
  { key: "cpuQuota", field: "CPUQuota", label: "CPU Quota" },
  { key: "cpuSetCpus", field: "CPUSetCPUs", label: "CPUSet CPUs" },
  { key: "cpuSetMems", field: "CPUSetMems", label: "CPUSet Mems" },
  { key: "cacheMountNamespace", field: "CacheMountNS", label: "Cache Mount Namespace" },
  { key: "dockerfileCheck", field: "DockerfileCheckConfig", label: "Dockerfile Check Config" },
  { key: "sourceDateEpoch", field: "SourceDateEpoch", label: "Source Date Epoch" },
  { key: "sandboxHostname", field: "SandboxHostname", label: "Sandbox Hostname" },
];
