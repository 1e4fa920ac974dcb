import { join } from "node:path";
import { type Environment, buildxConfigDir } from "../config/index.js";
import { displayPath } from "../fs/index.js";
import { type DigestLocalsOptions, type DigestedEntry, digestLocals } from "./input-digest.js";
import { InputSketch, type SketchDifference } from "./input-sketch.js";
import type { Inputs } from "./inputs.js";

/** Attributes of this name tell of inputs; the frontend knows nothing of them, and the provenance has them as they are. */
const prefix = "slipway:input:";

/** What a build noted of a directory that it sent. */
export interface RecordedInput {
  /** `sha256:…` of all that was sent. */
  digest: string;
  /** See {@link InputSketch}; empty for a single file. */
  sketch: string;
}

/** A directory that is not as it was recorded. */
export interface ChangedInput {
  name: string;
  expected: string;
  actual: string;
  /** Where it differs, as far as that can be told. */
  difference?: SketchDifference | { change: "changed"; path: string };
}

/** The name of the input that an attribute is about; undefined for other attributes. */
export function recordedInputKey(key: string): string | undefined {
  return key.startsWith(prefix) ? key.slice(prefix.length) : undefined;
}

/** Undefined for what is no record. */
export function parseRecordedInput(value: string): RecordedInput | undefined {
  const match = /^(sha256:[0-9a-f]{64})(?:;((?:entries|buckets):[\w-]*))?$/.exec(value);
  return match?.[1] === undefined ? undefined : { digest: match[1], sketch: match[2] ?? "" };
}

/** Attributes that record the directories of a build, for its provenance. */
export async function recordInputs(
  inputs: Pick<Inputs, "attrs" | "locals">,
  options: { env: Environment; signal?: AbortSignal | undefined },
): Promise<Record<string, string>> {
  const sketches = new Map<string, InputSketch>();
  const onEntry: DigestedEntry = (name, entry, digest) => {
    let sketch = sketches.get(name);
    if (!sketch) sketches.set(name, (sketch = new InputSketch()));
    sketch.add(entry, digest);
  };
  const digests = await digestLocals(inputs, { ...digestOptions(options), onEntry });
  return Object.fromEntries(
    [...digests].map(([name, { digest }]) => {
      const sketch = name === "dockerfile" ? undefined : (sketches.get(name) ?? new InputSketch());
      return [`${prefix}${name}`, `${digest}${sketch ? `;${sketch.toString()}` : ""}`];
    }),
  );
}

/** The first directory of a build that is not as it was recorded, of those that were; undefined when all are. */
export async function changedInput(
  inputs: Pick<Inputs, "attrs" | "locals">,
  recorded: ReadonlyMap<string, RecordedInput>,
  options: { env: Environment; signal?: AbortSignal | undefined },
): Promise<ChangedInput | undefined> {
  for (const [name, { digest: actual }] of await digestLocals(inputs, digestOptions(options))) {
    const { digest: expected, sketch } = recorded.get(name) ?? {};
    if (expected === undefined || expected === actual) continue;
    const difference =
      name === "dockerfile"
        ? { change: "changed" as const, path: inputs.attrs["filename"] ?? "Dockerfile" }
        : await InputSketch.compare(sketch ?? "", (onEntry) =>
            digestLocals(inputs, {
              ...digestOptions(options),
              onEntry: (of, entry, digest) => {
                if (of === name) onEntry(entry, digest);
              },
            }),
          );
    return { name, expected, actual, ...(difference && { difference }) };
  }
  return undefined;
}

/** The difference in words, and the file that it is about. */
export function describeChange({ difference }: ChangedInput): { text: string; file?: string } {
  if (!difference) return { text: "it is not known where" };
  if (difference.change === "removed") {
    const { after } = difference;
    const where = after === undefined ? "a file" : `a file that came behind ${displayPath(after)}`;
    return { text: `${where} is gone` };
  }
  const file = displayPath(difference.path);
  const words = { added: "is new", changed: "has changed", among: "is the first that may have changed" };
  return { text: `${file} ${words[difference.change]}`, file };
}

function digestOptions({
  env,
  signal,
}: {
  env: Environment;
  signal?: AbortSignal | undefined;
}): DigestLocalsOptions {
  return { cacheDir: join(buildxConfigDir(env), "slipway", "digests"), ...(signal && { signal }) };
}
