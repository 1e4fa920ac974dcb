import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Environment, buildxConfigDir, isJsonObject } from "../../config/index.js";
import { parseJson } from "../../core/index.js";
import { keepFile, readIfThere } from "../../fs/index.js";
import type { BuildFacts } from "./build-facts.js";

/** Largest record that is read back, in bytes: some 200,000 files. */
const largestRecord = 32 << 20;
/** Builds that are remembered, at most; the oldest go. */
const mostRecords = 200;

/** What says that two builds are of the same: where they ran, and of what. */
export interface BuildKey {
  builder: string;
  node: string;
  context: string;
  dockerfile: string;
  target: string;
  platforms: readonly string[];
}

/** Remembers what builds were made of, so that the next of the same can be compared with them. */
export class ExplainMemory {
  readonly #path: string;

  constructor(env: Environment, key: BuildKey) {
    const dir = join(buildxConfigDir(env), "slipway", "explained");
    const { builder, node, context, dockerfile, target, platforms } = key;
    const text = JSON.stringify([builder, node, context, dockerfile, target, platforms]);
    this.#path = join(dir, `${createHash("sha256").update(text).digest("hex").slice(0, 40)}.json`);
  }

  /** The last one that was explained; undefined when none is known. */
  async read(): Promise<BuildFacts | undefined> {
    try {
      const content = await readIfThere(this.#path, { limit: largestRecord });
      return content && fromJson(parseJson(content.toString("utf8")));
    } catch {
      return undefined; // not readable: not remembered
    }
  }

  /** Remembers this build. Where that fails the next one has nothing to be compared with. */
  async write(facts: BuildFacts): Promise<void> {
    await keepFile(this.#path, toJson(facts), { most: mostRecords });
  }
}

/** Names and values as lines: one text is one value to the reader, which bounds how many there may be. */
function toJson({ ref, steps, args, files, dockerfile }: BuildFacts): string {
  return JSON.stringify({
    version: 1,
    ref,
    steps: steps.map(({ name }) => name),
    args: args && [...args],
    files: files && [...files].flat().join("\0"),
    dockerfile,
  });
}

function fromJson(document: unknown): BuildFacts | undefined {
  if (!isJsonObject(document) || document["version"] !== 1) return undefined;
  const { ref, steps, args, files, dockerfile } = document;
  if (typeof ref !== "string" || !Array.isArray(steps)) return undefined;
  const flat = typeof files === "string" ? files.split("\0") : undefined;
  return {
    ref,
    steps: steps.map((name) => ({ name: String(name), digest: "", cached: false, inputs: [] })),
    args: Array.isArray(args)
      ? new Map(
          args.map((pair: unknown) => (Array.isArray(pair) ? [String(pair[0]), String(pair[1])] : ["", ""])),
        )
      : undefined,
    files:
      flat &&
      new Map(flat.flatMap((path, at) => (at % 2 === 0 ? [[path, flat[at + 1] ?? ""] as const] : []))),
    dockerfile: typeof dockerfile === "string" ? dockerfile : undefined,
    noCache: [],
  };
}
