import { connectKinds } from "../build/index.js";
import {
  type Kind,
  amount,
  callback,
  environment,
  flag,
  listOf,
  milliseconds,
  shape,
  signal,
  text,
} from "../core/index.js";
import type { DialBuilderOptions } from "./dial-builder.js";
import type { BuilderDiskUsageOptions, DiskUsageOptions } from "./disk-usage.js";
import type { HistoryOptions, RecordCallOptions, RecordsOptions } from "./history/index.js";
import type { CreateImageOptions, ImageToolsOptions, InspectImageOptions } from "./image-tools/index.js";
import type { BuilderPruneOptions, PruneOptions } from "./prune.js";

type KindsOf<T> = Record<keyof Required<T>, Kind>;

const { builder } = connectKinds;
const filter = listOf(text(), '"type==regular"');

/** What `dialBuilder()` takes. */
export const dialKinds = {
  builder,
  platform: text('"linux/amd64"'),
  env: environment,
  onEvent: callback,
  signal,
} satisfies KindsOf<DialBuilderOptions>;
/** What `diskUsage()` takes. */
export const diskUsageKinds = { filter, signal } satisfies KindsOf<DiskUsageOptions>;
/** What `prune()` takes. */
export const pruneKinds = {
  all: flag,
  filter,
  keepDuration: milliseconds,
  reservedSpace: amount("bytes"),
  maxUsedSpace: amount("bytes"),
  minFreeSpace: amount("bytes"),
  signal,
} satisfies KindsOf<PruneOptions>;
const builderNodes = { builder, env: environment, signal };
/** What `diskUsage()` takes of a builder. */
export const builderDiskUsageKinds = {
  ...diskUsageKinds,
  ...builderNodes,
} satisfies KindsOf<BuilderDiskUsageOptions>;
/** What `prune()` takes of a builder. */
export const builderPruneKinds = { ...pruneKinds, ...builderNodes } satisfies KindsOf<BuilderPruneOptions>;
/** What `history()` takes. */
export const historyKinds = {
  builder,
  env: environment,
  onEvent: callback,
  signal,
} satisfies KindsOf<HistoryOptions>;
/** What calls about one build take. */
export const recordCallKinds = { signal } satisfies KindsOf<RecordCallOptions>;
/** What `BuildHistory.record()` takes. */
export const recordKinds = { completedOnly: flag, signal };
/** What `BuildHistory.records()` takes. */
export const recordsKinds = {
  ...recordKinds,
  filters: listOf(text(), '"status=error"'),
  limit: amount("records"),
} satisfies KindsOf<RecordsOptions>;
/** What `BuildHistory.readBlob()` takes. */
export const readBlobKinds = { ...recordCallKinds, limit: amount("bytes") };
/** What `inspectBuild()` takes. */
export const inspectBuildKinds = { ...recordCallKinds, directory: text() };
const imageToolsKinds = {
  builder: text(),
  env: environment,
  onWarning: callback,
  signal,
} satisfies KindsOf<ImageToolsOptions>;
/** What `createImage()` takes. */
export const createImageKinds = {
  ...imageToolsKinds,
  sources: listOf(text(), '"app:1"'),
  tags: listOf(text(), '"app:2"'),
  append: flag,
  annotations: listOf(text(), '"index:key=value"'),
  preferIndex: flag,
  platforms: listOf(text(), '"linux/amd64"'),
  dryRun: flag,
  onEvent: callback,
} satisfies KindsOf<CreateImageOptions>;
/** What `inspectImage()` takes. */
export const inspectImageKinds = {
  ...imageToolsKinds,
  configs: flag,
  attestations: shape("an object, such as { sbom: true }", { sbom: flag, provenance: flag }),
} satisfies KindsOf<InspectImageOptions>;
