import { buildCallKinds, connectKinds } from "../../build/index.js";
import {
  type Kind,
  callback,
  either,
  flag,
  kind,
  isByteTarget,
  listOf,
  mapOf,
  oneOf,
  shape,
  text,
} from "../../core/index.js";
import type { DescribeProvenanceOptions, ReplayCallOptions, ReplayOptions } from "./replay-options.js";
import type { SnapshotOptions } from "./snapshot-options.js";
import type { VerifyReplayOptions } from "./verify-options.js";

type KindsOf<T> = Record<keyof Required<T>, Kind>;

const subjectKinds = { platform: text('"linux/amd64"'), verifySignature: callback, onWarning: callback };

const { secrets, ssh, outputs, tags, load, push, env, signal } = buildCallKinds;

const callKinds = {
  ...connectKinds,
  ...subjectKinds,
  secrets,
  ssh,
  contexts: mapOf(text(), '{ context: "." }'),
  network: oneOf("default", "none"),
  materials: listOf(text(), '"oci-layout://snapshot"'),
} satisfies KindsOf<ReplayCallOptions>;

/** What `replay()` takes. */
export const replayKinds = {
  ...callKinds,
  mode: oneOf("materials", "frontend"),
  outputs,
  tags,
  load,
  push,
} satisfies KindsOf<ReplayOptions>;

/** What `verifyReplay()` takes. */
export const verifyReplayKinds = {
  ...callKinds,
  compare: oneOf("digest", "artifact"),
  noCache: flag,
  output: text(),
  mismatch: oneOf("error", "return"),
} satisfies KindsOf<VerifyReplayOptions>;

const { network: _, ...snapshotCallKinds } = callKinds;

/** What `snapshotReplay()` takes. */
export const snapshotReplayKinds = {
  ...snapshotCallKinds,
  output: either(
    "{ layout } or { tar }",
    shape("a layout", { layout: text() }, ["layout"]),
    shape("an archive", { tar: either("a path or a stream", text(), kind("a stream", isByteTarget)) }, [
      "tar",
    ]),
  ),
  includeMaterials: flag,
  dryRun: flag,
} satisfies KindsOf<SnapshotOptions>;

/** What `describeProvenance()` takes. */
export const describeProvenanceKinds = {
  ...subjectKinds,
  builder: text(),
  env,
  signal,
} satisfies KindsOf<DescribeProvenanceOptions>;
