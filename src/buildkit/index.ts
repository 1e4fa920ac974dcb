// The wire types, one namespace a protobuf package: `pb.Definition`, `control.SolveRequestSchema`, `auth.Auth`, …
export * as apicaps from "./gen/moby/buildkit/v1/apicaps/caps_pb.js";
export * as auth from "./gen/moby/filesync/v1/auth_pb.js";
export * as content from "./gen/containerd/services/content/v1/content_pb.js";
export * as control from "./gen/moby/buildkit/v1/control_pb.js";
export * as errdefs from "./gen/errdefs/errdefs_pb.js";
export * as exporter from "./gen/moby/exporter/v1/exporter_pb.js";
export * as filesync from "./gen/moby/filesync/v1/filesync_pb.js";
export * as fsutil from "./fsutil.js";
export * as gateway from "./gen/moby/buildkit/v1/frontend/gateway_pb.js";
export * as health from "./gen/grpc/health/v1/health_pb.js";
export * as pb from "./gen/pb/ops_pb.js";
export * as policysession from "./gen/moby/buildkit/v1/sourcepolicy/policysession/policysession_pb.js";
export * as rpc from "./gen/google/rpc/status_pb.js";
export * as secrets from "./gen/moby/buildkit/secrets/v1/secrets_pb.js";
export * as sourcepolicy from "./gen/moby/buildkit/v1/sourcepolicy/policy_pb.js";
export * as sshforward from "./gen/moby/sshforward/v1/ssh_pb.js";
export * as upload from "./gen/moby/upload/v1/upload_pb.js";
export * as worker from "./gen/moby/buildkit/v1/types/worker_pb.js";

export {
  BuildkitClient,
  type BuildkitCallOptions,
  type BuildkitConnectOptions,
  type DaemonInfo,
  type OpenSessionOptions,
} from "./client.js";
export { BuildkitError, type BuildkitErrorCode, grpcCodeName, toBuildkitError } from "./buildkit-error.js";
export type { ErrorDetail } from "./error-details.js";
export {
  ContentError,
  type ContentErrorCode,
  type ContentReader,
  type ReadContentOptions,
  readContent,
  streamContent,
} from "./read-content.js";
export type { RpcCallOptions, RpcClient } from "./rpc-types.js";
export type { ClientSpan } from "./client-span.js";
export { toStatusUpdate } from "./status-update.js";
export {
  BuildkitTooOldError,
  type BuildkitVersionNumber,
  compareVersions,
  oldestVersion,
  parseVersion,
  requireSupportedVersion,
} from "./version.js";
export { type WaitReadyOptions, waitReady } from "./wait-ready.js";
export { type KeepAliveOptions, type Windows, localWindows, remoteWindows } from "../http2/index.js";
