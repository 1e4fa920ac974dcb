import { type ConnectTarget, defaultPlatform } from "../../build/index.js";
import { isBuilder } from "../../builder/index.js";
import type { EventSink } from "../../core/index.js";
import { type ImageStores, openStores } from "../image-tools/open-stores.js";
import type { Provenance } from "./provenance.js";
import { readSubjectProvenance } from "./read-provenance.js";
import { replayErrors } from "./replay-error.js";
import type { SubjectCallOptions } from "./replay-options.js";
import { selectSubjects } from "./select-subjects.js";
import { type Subject, loadSubjects } from "./subject.js";

/** A subject with what is known of its build. */
export interface ReplayTarget {
  subject: Subject;
  provenance: Provenance;
  /** Who signed the provenance, if somebody did. */
  signer?: string;
}

/** Registries and layouts as the builder is set up for them. The caller closes them. */
export async function openSubjectStores({
  builder,
  env,
  onWarning,
  signal,
}: ConnectTarget & SubjectCallOptions): Promise<ImageStores> {
  const name = isBuilder(builder) ? builder.name : builder;
  return openStores({ builder: name, env, onWarning, signal });
}

/**
 * The one target that a text stands for on the asked platform, or on the builder's own.
 *
 * @throws ReplayError; InvalidArgumentError for a platform that is not there
 */
export async function readTarget(
  input: string,
  options: ConnectTarget & SubjectCallOptions,
  stores: ImageStores,
): Promise<ReplayTarget> {
  const [target, ...others] = await readTargets(input, options, stores);
  if (!target) throw replayErrors.subject("no subjects matched the --platform filter");
  if (others.length > 0)
    throw replayErrors.unsupported(
      "replaying more than one platform at a time; select a single platform with --platform",
    );
  return target;
}

/** The targets that a text stands for; all platforms with `platform: "all"`. */
export async function readTargets(
  input: string,
  options: ConnectTarget & SubjectCallOptions,
  stores: ImageStores,
): Promise<ReplayTarget[]> {
  const { signal, verifySignature: verify, platform } = options;
  const reading = { stores, verify, signal };
  const subjects = await loadSubjects(input, reading);
  const platforms = platform === undefined ? [] : [platform];
  const selected = await selectSubjects(subjects, platforms, () => defaultPlatform(options));
  const targets: ReplayTarget[] = [];
  for (const subject of selected) {
    const found = await readSubjectProvenance(subject, reading);
    const { targetPlatform } = found.provenance;
    // A file carries no platform beside it.
    const own = subject.platform ?? targetPlatform;
    targets.push({ subject: { ...subject, ...(own && { platform: own }) }, ...found });
  }
  return targets;
}

/** The events of a build that others follow in the same call: its end is not that of the call. */
export function withoutEnd(sink: EventSink): EventSink {
  const guarded: EventSink = (event) => {
    if (event.type !== "end") sink(event);
  };
  guarded.ready = () => sink.ready?.();
  return guarded;
}
