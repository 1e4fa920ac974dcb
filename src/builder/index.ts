export {
  Builder,
  type EphemeralBuilder,
  type ListBuildersOptions,
  type NewBuilderOptions,
  type OpenBuilderOptions,
  isBuilder,
} from "./builder.js";
export { type BuilderContext, openBuilderContext } from "./builder-context.js";
export type { BuilderNode } from "./builder-node.js";
export { checkBuilderName, isBuilderName, randomBuilderName } from "./builder-name.js";
export {
  type ContextSource,
  checkContextBuilder,
  currentKey,
  resolveBuilder,
  useBuilder,
} from "./current-builder.js";
export type { CreateBuilderOptions } from "./create-options.js";
export { type CreatedBuilder, createBuilder, leaveBuilder, parseDriverOptFlags } from "./create-builder.js";
export type { CurrentChoice } from "./current-file.js";
export { type LocalBuildGroup, type LocalBuildState, LocalState } from "./local-state.js";
export { type Node, type NodeGroup, contextNodeGroup, emptyNodeGroup } from "./node-group.js";
export { pickNode } from "./pick-node.js";
export { type NodeShare, shareConfigured, shareOffered } from "./share-platforms.js";
export {
  type Platform,
  dedupePlatforms,
  formatPlatform,
  formatPlatformFully,
  localPlatform,
  normalizePlatform,
  parsePlatform,
  parsePlatforms,
} from "./platform.js";
export { formatInGroups, truncatePlatforms } from "./platform-groups.js";
export { type PlatformMatcher, only, onlyStrict } from "./platform-match.js";
export { type RemoveBuilderOptions, removeBuilder, removeBuilders } from "./remove-builder.js";
export type { SlipwayOptions } from "./slipway-options.js";
export { BuilderStore, type StoreOptions, type StoredBuilder } from "./store.js";
export { StoreDir } from "./store-dir.js";
export { StoreError, type StoreErrorCode } from "./store-error.js";
export { StoreTransaction } from "./store-transaction.js";
export { type InstanceInfo, type LoadNodeOptions, type NodeInfo, loadNodeInfo } from "./node-info.js";
export { NodeSurvey } from "./node-survey.js";
export { type NodeUpdate, leaveNode, updateNode } from "./update-node.js";
export type { EnsureBuilderOptions } from "./ensure-builder.js";
export {
  type AddressTls,
  type ConnectMode,
  type ConnectOptions,
  type DaemonClient,
  type Device,
  type DiagnoseOptions,
  type DockerContainerOpts,
  type Driver,
  type DriverCallOptions,
  type DriverErrorCode,
  type DriverErrorOptions,
  DriverError,
  type DriverFeatures,
  type DriverInstance,
  type DriverOpts,
  type GcRule,
  type NodeFeatures,
  type NodeStatus,
  type KubernetesOpts,
  type RemoteOpts,
  type RemoteTarget,
  type RemoveOptions,
  connectForBuild,
  connectMode,
  connectToAll,
  connectToAllRunning,
  creatableDrivers,
  defaultDriver,
  findDriverKind,
  loadRemote,
  openEngine,
} from "../driver/index.js";
export type { EphemeralBuilderOptions } from "./ephemeral.js";
