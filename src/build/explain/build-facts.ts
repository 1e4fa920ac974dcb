import { createHash } from "node:crypto";

/** A step of a build, as its name tells. */
export interface StepFacts {
  /** E.g. `[linux/amd64 build 2/5] RUN make`. */
  name: string;
  digest: string;
  cached: boolean;
  /** Digests of the steps whose results it takes. */
  inputs: readonly string[];
}

/** What is known of one build, and compared with another. */
export interface BuildFacts {
  /** The build's id in the builder's history. */
  ref: string;
  steps: readonly StepFacts[];
  /** Build arguments, by digest of the value; undefined where they are not known. */
  args: ReadonlyMap<string, string> | undefined;
  dockerfile: string | undefined;
  /** Digests of the files of contexts, by `context/path`; undefined where they are not known. */
  files: ReadonlyMap<string, string> | undefined;
  /** The cache was not to be used: for all, or for these stages. */
  noCache: readonly string[] | "all";
}

/** Where a step stands in its Dockerfile. */
export interface StepPlace {
  platform: string;
  /** Empty where the Dockerfile has one stage. */
  stage: string;
  number: number;
  instruction: string;
}

/** Reads a step's name; undefined for what is no step of a Dockerfile (BK dockerfile2llb prefixCommand). */
export function placeOf(name: string): StepPlace | undefined {
  const [, words = "", instruction = ""] = /^\[([^\]]*)\] ([^]*)$/.exec(name) ?? [];
  const parts = words.split(" ");
  const [, number] = /^(\d+)\/\d+$/.exec(parts.at(-1) ?? "") ?? [];
  if (number === undefined) return undefined;
  const [stage = "", platform = ""] = parts.slice(0, -1).reverse();
  const isPlatform = stage.includes("/") && platform === "";
  return {
    platform: isPlatform ? stage : platform,
    stage: isPlatform ? "" : stage,
    number: Number(number),
    instruction,
  };
}

/** Build arguments among a frontend's attributes, by digest: a value may be a secret. */
export function argumentsOf(
  attrs: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, string> {
  const prefix = "build-arg:";
  return new Map(
    Object.entries(attrs)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value = ""]) => [
        key.slice(prefix.length),
        createHash("sha256").update(value).digest("hex"),
      ]),
  );
}
