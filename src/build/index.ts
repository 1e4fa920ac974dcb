export { type BuildCallOptions, type PlanChange, build, buildAndLook, buildChanged } from "./build.js";
export { BuildError, onErrorClosed, type FailedSource, type FailedStep } from "./build-error.js";
export type { BuildOptions } from "./build-options.js";
export type { BuildResult, CallResult } from "./build-result.js";
export { connect } from "./connect.js";
export { type OpenCallOptions, openResult } from "./open-result.js";
export type { ExportOptions, OpenResult, OpenResultOptions } from "./live/open-result.js";
export type { LiveFiles } from "./live/live-files.js";
export type { ReadResultFileOptions, ReadResultOptions, ResultEntry } from "./live/file-system.js";
export type { ExecMount } from "./live/mounts.js";
export type { ExecOptions, ExecResult } from "./live/process.js";
export type { TerminalSize } from "./live/process-input.js";
export type { CredentialsCallback, GivenCredentials } from "../registry/index.js";
export { type MemoryOutput, type MemoryOutputOptions, type OutputFile, memory } from "./memory-output.js";
export type { ExportDestination } from "./outputs.js";
export type { ProxyNetwork } from "./network/network-watch.js";
export type {
  GitSource,
  HttpSource,
  ImageSource,
  JudgedSource,
  LayoutSource,
  LocalSource,
  NamedImage,
  OtherSource,
  PolicySource,
  PolicyVerdict,
  ResolveGitOptions,
  ResolveImageOptions,
  SourceConversion,
  SourceFacts,
  SourcePolicy,
} from "./policy/source-policy.js";
export type {
  AttestationBlob,
  GitMetadata,
  HttpMetadata,
  ImageAttestations,
  ImageMetadata,
} from "./policy/source-metadata.js";
export { PolicyError } from "./policy/policy-error.js";
export type { MetadataProvenance } from "./provenance.js";
export type { TreeDigest } from "./input-digest-tree.js";
export type { ConnectTarget, Connection, ConnectionBuildOptions } from "./connection.js";
export { type ContextSource, type MemoryFile, type MemoryFiles, dir, files, git, tar } from "./contexts.js";
export { formatGitReference } from "./git-reference.js";
export { isGitUrl } from "./remote-url.js";
export { repositoryUrl } from "./git-info.js";
export { type ImageLayer, type ImagePlatform, describeImage } from "./describe-image.js";
export { type Cache, type CacheOption, parseCache } from "./parse/cache.js";
export { parseCacheMounts } from "./parse/cache-mounts.js";
export type { CacheMountsOption } from "./cache-mounts/plan-cache-mounts.js";
export { parseAttestations } from "./parse/attest.js";
export { type CallRequest, parseCall } from "./parse/call.js";
export { buildCallKinds, connectKinds, openCallKinds } from "./option-kinds.js";
export { readBuildOptions } from "./check-options.js";
export { type BuildManyOptions, type ManyResults, type TargetOptions, buildMany } from "./build-many.js";
export { checkTarget } from "./check-target.js";
export { failedEnd } from "./build-error.js";
export { defaultPlatform } from "./default-platform.js";
export {
  type ChangedInput,
  type RecordedInput,
  changedInput,
  describeChange,
  parseRecordedInput,
  recordedInputKey,
} from "./recorded-input.js";
export type { SourceRules } from "./source-rules.js";
export { TargetsError } from "./targets-error.js";
export { formatCsv } from "./parse/fields.js";
export { isGitSshUrl, isRemoteUrl } from "./remote-url.js";
export { readRemote } from "./read-remote.js";
export type { FetchedContext, FetchedSource } from "./fetched-source.js";
export { gitAuthSecrets, gitHost } from "./git-auth-secrets.js";
export { type JoinAnnotations, configPlatform, joinManifests } from "./join-manifests.js";
export { parseUlimit } from "./frontend-attrs.js";
export { parseAnnotation } from "./outputs.js";
export { type Output, type OutputType, parseOutput } from "./parse/output.js";
export { type SecretInput, parseSecret } from "./parse/secret.js";
export { contextFromStdin, dockerfileFromStdin } from "./stdin-context.js";
export { type BuildPlan, type PlanOptions, type PlannedLocal, plan } from "./build-plan.js";
