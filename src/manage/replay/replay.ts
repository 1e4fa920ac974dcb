import type { BuildResult } from "../../build/index.js";
import { InvalidArgumentError, readOptions, withGuardedWarnings } from "../../core/index.js";
import {
  describeProvenanceKinds,
  replayKinds,
  verifyReplayKinds,
  snapshotReplayKinds,
} from "./option-kinds.js";
import type { ProvenanceDescription } from "./provenance-description.js";
import type { DescribeProvenanceOptions, ReplayOptions } from "./replay-options.js";
import type { ReplayPlan } from "./replay-plan.js";
import type { SnapshotOptions, SnapshotPlan } from "./snapshot-options.js";
import type { VerifyReplayOptions, VerifyReplayResult } from "./verify-options.js";

/**
 * Builds an image once more from its provenance: with the recorded frontend, options and, in the mode `materials`, the recorded digests of
 * every source. The subject is `docker-image://ref` or a bare reference, `oci-layout://path[:tag]` or a directory, or a file with an
 * in-toto statement, in an envelope or not. The provenance must be of mode `max`.
 *
 * @throws ReplayError for what cannot be replayed, before anything is built; InvalidArgumentError; RegistryError; as `build()` does
 */
export async function replay(subject: string, given: ReplayOptions = {}): Promise<BuildResult> {
  const options = readOptions("replay()", given, replayKinds);
  requireSubject("replay()", subject);
  const { replaySubject } = await import("../loaded.js");
  return guarded(options, (ready) => replaySubject(subject, ready));
}

/**
 * What {@link replay} would do, as data; nothing is built. The checks are those of a replay, so that what cannot be replayed fails here as
 * well.
 *
 * @throws as {@link replay} does before it builds
 */
export async function planReplay(subject: string, given: ReplayOptions = {}): Promise<ReplayPlan> {
  const options = readOptions("planReplay()", given, replayKinds);
  requireSubject("planReplay()", subject);
  const { planSubject } = await import("../loaded.js");
  return guarded(options, (ready) => planSubject(subject, ready));
}

/**
 * Replays an image, and compares what comes out with it: by digest, or part by part, down to the files of the layers that differ. With
 * `output` the comparison is written as a Verification Summary Attestation.
 *
 * Steps that the builder has in its cache are not run again, so that they come out equal whether or not they would: `noCache` runs them.
 *
 * @throws ReplayError `REPLAY_MISMATCH` with the differences, unless `mismatch` is `return`; as {@link replay} does
 */
export async function verifyReplay(
  subject: string,
  given: VerifyReplayOptions = {},
): Promise<VerifyReplayResult> {
  const options = readOptions("verifyReplay()", given, verifyReplayKinds);
  requireSubject("verifyReplay()", subject);
  const { verifySubject } = await import("../loaded.js");
  return guarded(options, (ready) => verifySubject(subject, ready));
}

/**
 * Keeps what a build took in as an OCI layout, from which it can be replayed without a network (`materials` of {@link replay}): images of
 * the platform, what was fetched by http, and the files of git repositories, each checked against its recorded digest.
 *
 * @throws ReplayError `REPLAY_MATERIAL_NOT_FOUND`; RegistryError; BuildError for what the builder cannot fetch
 */
export async function snapshotReplay(subject: string, given: SnapshotOptions): Promise<SnapshotPlan> {
  const options = readOptions("snapshotReplay()", given, snapshotReplayKinds);
  requireSubject("snapshotReplay()", subject);
  const { snapshotSubject } = await import("../loaded.js");
  return guarded(options, (ready) => snapshotSubject(subject, ready));
}

/**
 * How a build came about, from its provenance: materials, options of the frontend, what it needs to be replayed. Takes provenance of mode
 * `min` as well.
 *
 * @throws ReplayError for a subject without provenance, or one that is signed and cannot be verified; RegistryError
 */
export async function describeProvenance(
  subject: string,
  given: DescribeProvenanceOptions = {},
): Promise<ProvenanceDescription> {
  const options = readOptions("describeProvenance()", given, describeProvenanceKinds);
  requireSubject("describeProvenance()", subject);
  const { describeSubject } = await import("../loaded.js");
  return guarded(options, (ready) => describeSubject(subject, ready));
}

function guarded<T extends { onWarning?: (text: string) => unknown }, R>(
  options: T,
  run: (options: T) => Promise<R>,
): Promise<R> {
  return withGuardedWarnings(options.onWarning, (onWarning) =>
    run(onWarning ? { ...options, onWarning } : options),
  );
}

function requireSubject(of: string, subject: unknown): void {
  if (typeof subject !== "string")
    throw new InvalidArgumentError(`${of} takes a subject as a text, such as "docker-image://app:1"`);
}
