export type { Attachable } from "./attachable.js";
export { type AuthOptions, auth } from "./auth/index.js";
export type { AuthEntry, DockerConfig, ProxyConfig } from "../config/index.js";
export type { ByteString, DirNode, EntryStat, MemoryContent, MemoryEntry, TreeSource } from "../fs/index.js";
export {
  GrpcError,
  type GrpcErrorOptions,
  type GrpcStatus,
  type KeepAliveOptions,
  type MessageOptions,
  type ServerCall,
} from "../http2/index.js";
export type {
  CredentialProvider,
  CredentialRequest,
  CredentialsCallback,
  GivenCredentials,
  HostTls,
  RegistryCredentials,
} from "../registry/index.js";
export { healthMethods } from "./health.js";
export { type PolicyDecision, type PolicyRequest, policyVerifier } from "./policy.js";
export { maxSecretBytes } from "./secret-files.js";
export { type SecretSource, type SecretsOptions, secrets } from "./secrets.js";
export { type MethodInput, type MethodOutput, type ServiceHandlers, service } from "./service.js";
export { Session, type SessionOptions } from "./session.js";
export { SessionError, type SessionErrorCode, type SessionErrorOptions } from "./session-error.js";
export {
  type SshAgent,
  type SshAgentConnection,
  type SshAgentSpec,
  loadSshAgents,
  parseSshSpec,
  ssh,
} from "./ssh/index.js";
export { upload } from "./upload.js";
export {
  type BlobInfo,
  CacheLock,
  ContentStore,
  type ContentStoreOptions,
  type Descriptor,
  type Ingest,
  type IngestHooks,
  type IngestStatus,
  type OciIndex,
  type PutDescriptorOptions,
  content,
  findDescriptor,
  putDescriptor,
  readOciIndex,
  removeUnreferencedBlobs,
} from "./content/index.js";
export {
  type DirectoryTarget,
  ExportError,
  type ExportErrorCode,
  type ExportErrorOptions,
  type ExportLimits,
  type ExportTarget,
  type FileSendOptions,
  type StreamTarget,
  fileSend,
  fileTarget,
  openOutputFile,
  type TreeEntry,
  writeTree,
} from "./filesend/index.js";
export {
  type AnnouncedFile,
  type FileSyncOptions,
  type OpenFile,
  type OpenFileAt,
  type OpenedDir,
  type RacePolicy,
  SyncError,
  type SyncErrorCode,
  type SyncProgress,
  type SyncedDir,
  dirOpener,
  fileSync,
} from "./filesync/index.js";
