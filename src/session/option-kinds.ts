import {
  type Kind,
  callback,
  environment,
  flag,
  kind,
  listOf,
  object,
  oneOf,
  signal,
  text,
} from "../core/index.js";
import { keepAliveKind, windowsKind } from "../http2/index.js";
import type { AuthOptions } from "./auth/auth.js";
import type { ContentStoreOptions } from "./content/content-store.js";
import type { PutDescriptorOptions } from "./content/oci-index.js";
import type { FileSendOptions } from "./filesend/file-send.js";
import type { FileSyncOptions } from "./filesync/file-sync.js";
import type { SecretsOptions } from "./secrets.js";
import type { SessionOptions } from "./session.js";

type KindsOf<T> = Record<keyof Required<T>, Kind>;

// None of them is a whole number only: where there is no limit it is Infinity.
const limit = kind("a number", (value) => typeof value === "number" && value >= 0);

/** What `Session.open()` takes. */
export const sessionKinds = {
  attachables: listOf(object, "secrets(…)"),
  sharedKey: text(),
  id: text(),
  windows: windowsKind,
  keepAlive: keepAliveKind,
  signal,
} satisfies KindsOf<SessionOptions>;
/** What `auth()` takes. */
export const authKinds = {
  env: environment,
  dockerConfig: object,
  credentials: callback,
  provider: callback,
  sink: callback,
  seedDir: text(),
  hosts: kind("a Map", (value) => value instanceof Map),
  onSecret: callback,
} satisfies KindsOf<AuthOptions>;
/** What `secrets()` takes. */
export const secretsKinds = { onSecret: callback } satisfies KindsOf<SecretsOptions>;
/** What `upload()` takes. */
export const uploadKinds = { onError: callback };
/** What `fileSync()` takes. */
export const fileSyncKinds = {
  onProgress: callback,
  onWarning: callback,
  onError: callback,
  onRace: oneOf("error", "warn"),
  onOlder: object,
} satisfies KindsOf<FileSyncOptions>;
/** What `fileSend()` takes. */
export const fileSendKinds = {
  onBegin: callback,
  onFailure: callback,
  maxEntries: limit,
  maxBytes: limit,
  maxDepth: limit,
} satisfies KindsOf<FileSendOptions>;
/** What a `ContentStore` takes. */
export const contentStoreKinds = {
  access: oneOf("read-only", "read-write"),
  beforeWrite: callback,
  maxBytes: limit,
} satisfies KindsOf<ContentStoreOptions>;
/** What `putDescriptor()` takes. */
export const putDescriptorKinds = {
  tag: text(),
  name: text(),
  signal,
} satisfies KindsOf<PutDescriptorOptions>;
/** What `readOciIndex()` takes. */
export const readOciIndexKinds = { followLinks: flag };
