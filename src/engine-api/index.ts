export { maximumApiVersion, minimumApiVersion } from "./api-version.js";
export { EngineClient, type EngineOptions, type Ping } from "./client.js";
export type { PathStat } from "./archives.js";
export type {
  AttachOptions,
  Containers,
  CreateContainerOptions,
  LogsOptions,
  PutArchiveOptions,
  PutDirectoryOptions,
  StartedWait,
  WaitCondition,
} from "./containers.js";
export type { Dial } from "../core/index.js";
export type { EngineTls } from "./dial-endpoint.js";
export { EngineError, type EngineErrorCode, type EngineErrorDetails } from "./errors.js";
export type { EventsOptions } from "./events.js";
export { type ExecDialOptions, execDial } from "./exec-dial.js";
export { ExecStream, type EarlyEnd, type ExecStreamOptions } from "./exec-stream.js";
export type { ExecCreateOptions, Execs } from "./execs.js";
export type { Filters } from "./filters.js";
export type { Images, LoadOptions, PullOptions, PushOptions, SaveOptions } from "./images.js";
export type { JsonMessage } from "./json-messages.js";
export type { LogChunk } from "./logs.js";
export type { Networks } from "./networks.js";
export { type RegistryAuth, encodeRegistryAuth } from "./registry-auth.js";
export type { RunOptions, RunResult } from "./run.js";
export type { CallOptions } from "./transport.js";
export { type BridgeCommand, type SshProgram, dialProgramBySsh } from "./ssh.js";
export type { UploadSource } from "./upload-feed.js";
export type { Volumes } from "./volumes.js";
export type {
  ContainerConfig,
  ContainerCreateBody,
  ContainerCreated,
  ContainerInspect,
  ContainerState,
  ContainerSummary,
  ContainerWait,
  DeviceRequest,
  EndpointSettings,
  ExecCreateBody,
  ExecInspect,
  HostConfig,
  MountPoint,
  MountRequest,
  RestartPolicy,
} from "./wire-container.js";
export type {
  ImageDeleted,
  ImageHistoryEntry,
  ImageInspect,
  ImageManifestSummary,
  ImagesPruned,
  ImageSummary,
  OciDescriptor,
} from "./wire-image.js";
export type {
  EngineEvent,
  RegistryConfig,
  SystemInfo,
  EngineVersion,
  Network,
  NetworkCreateBody,
  Volume,
  VolumeCreateBody,
} from "./wire-system.js";
