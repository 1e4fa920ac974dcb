export { CacheLock } from "./cache-lock.js";
export { content } from "./content-service.js";
export type { Ingest, IngestHooks, IngestStatus } from "./ingest.js";
export { type BlobInfo, ContentStore, type ContentStoreOptions } from "./content-store.js";
export {
  type Descriptor,
  type OciIndex,
  type PutDescriptorOptions,
  findDescriptor,
  putDescriptor,
  readOciIndex,
  removeUnreferencedBlobs,
} from "./oci-index.js";
