import {
  type Kind,
  amount,
  callback,
  either,
  environment,
  flag,
  listOf,
  mapOf,
  milliseconds,
  oneOf,
  signal,
  text,
} from "../core/index.js";
import type { ListBuildersOptions, NewBuilderOptions, OpenBuilderOptions } from "./builder.js";
import type { EnsureBuilderOptions } from "./ensure-builder.js";
import type { EphemeralBuilderOptions } from "./ephemeral.js";
import type { RemoveBuilderOptions } from "./remove-builder.js";

type KindsOf<T> = Record<keyof Required<T>, Kind>;

const connect = oneOf("auto", "exec", "socket");
const description = {
  driverOpts: mapOf(text(), '{ network: "host" }'),
  buildkitdFlags: text('"--debug"'),
  buildkitdConfig: text('"buildkitd.toml"'),
  maxCacheSize: either('bytes or a text, such as "20gb"', amount("bytes"), text()),
  trustCa: text('"corporate-ca.pem"'),
  endpoint: text('"tcp://host:2376"'),
  platforms: listOf(text(), '"linux/amd64"'),
  connect,
  env: environment,
  signal,
};

/** What {@link Builder.open} takes. */
export const openKinds = {
  name: text(),
  env: environment,
  onWarning: callback,
  signal,
} satisfies KindsOf<OpenBuilderOptions>;
/** What {@link Builder.list} takes. */
export const listKinds = {
  env: environment,
  onWarning: callback,
  signal,
} satisfies KindsOf<ListBuildersOptions>;
/** What {@link Builder.create} takes. */
export const createKinds = {
  ...description,
  name: text(),
  driver: text('"remote"'),
  node: text(),
  append: flag,
  use: flag,
  onWarning: callback,
} satisfies KindsOf<NewBuilderOptions>;
/** What {@link Builder.ensure} takes. */
export const ensureKinds = {
  ...description,
  name: text(),
  onMismatch: oneOf("error", "use", "recreate"),
} satisfies KindsOf<EnsureBuilderOptions>;
/** What {@link Builder.ephemeral} takes. */
export const ephemeralKinds = {
  ...description,
  onWarning: callback,
} satisfies KindsOf<EphemeralBuilderOptions>;
/** What {@link Builder.inspect} takes. */
export const inspectKinds = { milliseconds, signal };
/** What {@link Builder.boot} takes. */
export const bootKinds = { onEvent: callback, signal };
/** What {@link Builder.stop} takes. */
export const stopKinds = { signal };
/** What {@link Builder.remove} takes. */
export const removeKinds = {
  keepState: flag,
  keepDaemon: flag,
  signal,
} satisfies KindsOf<RemoveBuilderOptions>;
/** What {@link BuilderNode.openDriver} takes. */
export const openDriverKinds = { connect };
