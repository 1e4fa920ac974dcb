export { AnnouncedRealms, type TokenServer } from "./announced-realms.js";
export type { BlobUpload } from "./blob-upload.js";
export { eraseFromHelper, storeInHelper } from "./credential-helper.js";
export {
  type CredentialsCallback,
  type GivenCredentials,
  type CredentialProvider,
  type CredentialRequest,
  type RegistryCredentials,
  callbackCredentials,
  secretOf,
} from "./credentials.js";
export {
  type Descriptor,
  type Platform,
  isIndexType,
  isManifestType,
  mediaTypes,
  readDescriptor,
} from "./descriptor.js";
export { DigestVerifier, digestOf, isDigest } from "./digest.js";
export { type DockerCredentialsOptions, dockerCredentials } from "./docker-credentials.js";
export { type EngineAuth, engineAuth } from "./engine-auth.js";
export { credentialsKey, familiarHost, hubRegistryHost, registryHost, serverName } from "./hub.js";
export { type IndexDocument, descriptorJson, encodeIndex, parseDocument } from "./index-document.js";
export { type Manifest, maxManifestBytes, parseManifest } from "./manifest.js";
export {
  type ImageReference,
  familiarReference,
  formatReference,
  normalizeContextName,
  parseReference,
  repositoryName,
  withDefaultTag,
} from "./reference.js";
export {
  RegistryClient,
  type RegistryCallOptions,
  type RegistryClientOptions,
  type Repository,
  type StoredManifest,
} from "./registry-client.js";
export { RegistryError, type RegistryErrorCode, type RegistryErrorOptions } from "./registry-error.js";
export { type HostTls, RegistryHttp, type RegistryHttpOptions } from "./registry-http.js";
export { type Token, type TokenRequest, fetchToken } from "./token.js";
