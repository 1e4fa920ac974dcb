import { type Kind, callback, kind, listOf, milliseconds, signal, text } from "../core/index.js";
import { keepAliveKind, windowsKind } from "../http2/index.js";
import type { BuildkitCallOptions, BuildkitConnectOptions, OpenSessionOptions } from "./client.js";
import type { ReadContentOptions } from "./read-content.js";
import type { WaitReadyOptions } from "./wait-ready.js";

type KindsOf<T> = Record<keyof Required<T>, Kind>;

const bytes = kind("a number of bytes", (value) => typeof value === "number" && value >= 0);

/** What every call takes. */
export const callKinds = { signal } satisfies KindsOf<BuildkitCallOptions>;
/** What `BuildkitClient.connect()` takes. */
export const connectKinds = { windows: windowsKind, signal } satisfies KindsOf<BuildkitConnectOptions>;
/** What `waitReady()` takes. */
export const waitReadyKinds = {
  ...connectKinds,
  milliseconds,
  interval: milliseconds,
  onRetry: callback,
} satisfies KindsOf<WaitReadyOptions>;
/** What `BuildkitClient.openSession()` takes. */
export const openSessionKinds = {
  ...callKinds,
  id: text(),
  sharedKey: text(),
  methods: listOf(text(), '"/package.Service/Method"'),
  keepAlive: keepAliveKind,
} satisfies KindsOf<OpenSessionOptions>;
/** What `BuildkitClient.workers()` takes. */
export const workersKinds = { ...callKinds, filter: listOf(text(), '"id==name"') };
/** What `readContent()` and `streamContent()` take. */
export const readContentKinds = {
  ...callKinds,
  limit: bytes,
} satisfies KindsOf<ReadContentOptions>;
