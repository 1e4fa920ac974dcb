export { describeDifference, type ReplayDifference } from "./difference.js";
export type { MaterialKind } from "./materials.js";
export type { ProvenanceDescription, ProvenanceMaterial } from "./provenance-description.js";
export { describeProvenance, planReplay, replay, snapshotReplay, verifyReplay } from "./replay.js";
export { ReplayError, type ReplayErrorCode, type ReplayErrorFields } from "./replay-error.js";
export type {
  DescribeProvenanceOptions,
  ReplayCallOptions,
  ReplayInputs,
  ReplayMode,
  ReplayOptions,
  SubjectCallOptions,
} from "./replay-options.js";
export type { PlanMaterial, ReplayPlan, ReplayPlanConfig, ReplayPlanSubject } from "./replay-plan.js";
export type { SnapshotOptions, SnapshotPlan } from "./snapshot-options.js";
export type { SignedStatement, VerifySignature } from "./statement.js";
export type { CompareMode, VerifyReplayOptions, VerifyReplayResult } from "./verify-options.js";
