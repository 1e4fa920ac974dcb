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
export { type ContextSource, resolveBuilder, useBuilder } from "./current-builder.js";
export type { CreateBuilderOptions } from "./create-options.js";
export { type CreatedBuilder, createBuilder, leaveBuilder, parseDriverOptFlags } from "./create-builder.js";
export type { CurrentChoice } from "./current-file.js";
export type { LocalBuildGroup, LocalBuildState } from "./local-state.js";
export { type Node, type NodeGroup, contextNodeGroup } from "./node-group.js";
export { pickNode } from "./pick-node.js";
export { type NodeShare, shareConfigured, shareOffered } from "./share-platforms.js";
export {
  type Platform,
  formatPlatform,
  formatPlatformFully,
  localPlatform,
  normalizePlatform,
  parsePlatform,
  parsePlatforms,
} from "./platform.js";
export { formatInGroups, truncatePlatforms } from "./platform-groups.js";
export { type PlatformMatcher, only, onlyStrict } from "./platform-match.js";
export { type RemoveBuilderOptions, removeBuilders } from "./remove-builder.js";
export type { SlipwayOptions } from "./slipway-options.js";
export { BuilderStore, type StoreOptions, type StoredBuilder } from "./store.js";
export { StoreError, type StoreErrorCode } from "./store-error.js";
export { type InstanceInfo, type LoadNodeOptions, type NodeInfo, loadNodeInfo } from "./node-info.js";
export { NodeSurvey } from "./node-survey.js";
export type { NodeUpdate } from "./update-node.js";
export type { EnsureBuilderOptions } from "./ensure-builder.js";
export type { EphemeralBuilderOptions } from "./ephemeral.js";
