import { type ExplainedStep, type StepCause, trimBoth, trimTrailing } from "../../core/index.js";
import { PatternMatcher, toBytes } from "../../fs/index.js";
import { type BuildFacts, type StepFacts, type StepPlace, placeOf } from "./build-facts.js";
import { declaredArguments, dockerfileStages } from "./dockerfile-stages.js";

/** Steps that ran although the earlier build had them, each with what changed. New steps are not among them. */
export function explainSteps(now: BuildFacts, earlier: BuildFacts): ExplainedStep[] {
  const comparison = new Comparison(now, earlier);
  return now.steps.flatMap((step) => {
    const place = placeOf(step.name);
    const causes = place && !step.cached ? comparison.causes(step, place) : undefined;
    return causes ? [{ digest: step.digest, name: step.name, causes }] : [];
  });
}

class Comparison {
  readonly #now: BuildFacts;
  readonly #earlier: BuildFacts;
  readonly #byDigest: Map<string, StepFacts>;
  readonly #changedFiles: { path: string; change: "changed" | "added" | "removed" }[] | undefined;
  readonly #changedArguments: ReadonlySet<string>;

  constructor(now: BuildFacts, earlier: BuildFacts) {
    this.#now = now;
    this.#earlier = earlier;
    this.#byDigest = new Map(now.steps.map((step) => [step.digest, step]));
    this.#changedFiles = changedFiles(now, earlier);
    this.#changedArguments = changedNames(now.args, earlier.args);
  }

  /** Undefined for a step that the earlier build had not. */
  causes(step: StepFacts, place: StepPlace): StepCause[] | undefined {
    const same = this.#earlier.steps.find(({ name }) => isSame(placeOf(name), place));
    const there = same ?? this.#earlier.steps.find(({ name }) => isThere(placeOf(name), place));
    if (!there) return undefined;
    if (place.instruction.startsWith("FROM ")) return this.#ofBase(place, there);
    if (!same)
      return [
        { kind: "instruction", before: placeOf(there.name)?.instruction ?? "", after: place.instruction },
      ];
    const causes = [
      ...this.#ofCache(place),
      ...this.#ofInputs(step),
      ...this.#ofFiles(step, place),
      ...this.#ofSettings(place),
    ];
    if (causes.length > 0) return causes;
    const missing = this.#missing(step, place);
    return [missing === undefined ? { kind: "evicted" } : { kind: "unknown", why: missing }];
  }

  /** The base was pulled or unpacked anew; what it is tells whether it is another. */
  #ofBase({ instruction }: StepPlace, there: StepFacts): StepCause[] | undefined {
    const before = placeOf(there.name)?.instruction ?? "";
    if (before === instruction) return undefined;
    return [{ kind: "base", before: before.replace(/^FROM /, ""), after: instruction.replace(/^FROM /, "") }];
  }

  #ofCache({ stage }: StepPlace): StepCause[] {
    const { noCache } = this.#now;
    return noCache === "all" || noCache.some((name) => name.toLowerCase() === stage.toLowerCase())
      ? [{ kind: "no-cache" }]
      : [];
  }

  #ofInputs({ inputs }: StepFacts): StepCause[] {
    return inputs.flatMap((digest): StepCause[] => {
      const input = this.#byDigest.get(digest);
      const place = input && placeOf(input.name);
      if (!input || !place) return [];
      if (place.instruction.startsWith("FROM ")) {
        const there = this.#earlier.steps.find(({ name }) => isThere(placeOf(name), place));
        return (there && this.#ofBase(place, there)) ?? [];
      }
      return input.cached ? [] : [{ kind: "step", name: input.name }];
    });
  }

  #ofFiles(step: StepFacts, place: StepPlace): StepCause[] {
    const context = this.#contextOf(step);
    const sources = copiedSources(place.instruction);
    if (context === undefined || !sources || !this.#changedFiles) return [];
    const matcher = matcherOf(sources);
    return this.#changedFiles
      .filter(({ path }) => path.startsWith(`${context}/`) && matcher(path.slice(context.length + 1)))
      .map(({ path, change }) => ({
        kind: "file",
        path: path.slice(path.indexOf("/") + 1),
        context,
        change,
      }));
  }

  /** Arguments that the step can see, and what else of its stage stands before it. */
  #ofSettings(place: StepPlace): StepCause[] {
    const before = settingsOf(this.#earlier.dockerfile, place);
    const after = settingsOf(this.#now.dockerfile, place);
    if (!before || !after) return [];
    const isRun = place.instruction.startsWith("RUN ");
    const args = after
      .flatMap(declaredArguments)
      .filter((name) => this.#changedArguments.has(name) && (isRun || place.instruction.includes(name)))
      .map((name): StepCause => ({ kind: "argument", name }));
    const added = after.filter((text) => !before.includes(text));
    const removed = before.filter((text) => !after.includes(text));
    const others = Array.from({ length: Math.max(added.length, removed.length) }, (_, at): StepCause => ({
      kind: "instruction",
      before: removed[at] ?? "",
      after: added[at] ?? "",
    }));
    return [...args, ...(isRun ? others : [])];
  }

  /** What would have to be known to say that nothing changed. */
  #missing(step: StepFacts, place: StepPlace): string | undefined {
    const noted = "the earlier build did not note it; builds with explain do";
    if (copiedSources(place.instruction) && this.#contextOf(step) !== undefined && !this.#changedFiles)
      return `whether files of the context changed: ${noted}`;
    if (/^ADD .*https?:/.test(place.instruction)) return "whether what the URL leads to changed";
    const hasBoth = this.#earlier.dockerfile !== undefined && this.#now.dockerfile !== undefined;
    if (!hasBoth) return `whether arguments and settings of its stage changed: ${noted}`;
    return undefined;
  }

  /** Name of the context that a step copies from. */
  #contextOf({ inputs }: StepFacts): string | undefined {
    for (const digest of inputs) {
      const { name = "" } = this.#byDigest.get(digest) ?? {};
      if (name === "[internal] load build context") return "context";
      const [, context] = /^\[context ([^\]]+)\] load from client$/.exec(name) ?? [];
      if (context !== undefined) return context;
    }
    return undefined;
  }
}

function isSame(a: StepPlace | undefined, b: StepPlace): boolean {
  return a?.instruction === b.instruction && a.stage === b.stage && a.platform === b.platform;
}

function isThere(a: StepPlace | undefined, b: StepPlace): boolean {
  return a?.number === b.number && a.stage === b.stage && a.platform === b.platform;
}

function changedFiles({ files: now }: BuildFacts, { files: before }: BuildFacts) {
  if (!now || !before) return undefined;
  const added = [...now]
    .filter(([path, digest]) => before.get(path) !== digest)
    .map(([path]) => ({ path, change: before.has(path) ? ("changed" as const) : ("added" as const) }));
  const removed = [...before.keys()]
    .filter((path) => !now.has(path))
    .map((path) => ({ path, change: "removed" as const }));
  return [...added, ...removed];
}

function changedNames(
  now: ReadonlyMap<string, string> | undefined,
  before: ReadonlyMap<string, string> | undefined,
): ReadonlySet<string> {
  if (!now || !before) return new Set();
  return new Set([...now.keys(), ...before.keys()].filter((name) => now.get(name) !== before.get(name)));
}

/** Sources of a COPY or ADD as its name has them, with variables in their places; undefined for other steps. */
function copiedSources(instruction: string): string[] | undefined {
  if (!/^(?:COPY|ADD) /.test(instruction)) return undefined;
  const words = instruction
    .split(/\s+/)
    .slice(1)
    .filter((word) => !word.startsWith("--"));
  return words.slice(0, -1).map((word) => trimBoth(word, "[]\"',"));
}

function matcherOf(sources: readonly string[]): (path: string) => boolean {
  const patterns = sources
    .filter((source) => !source.startsWith("<<") && !/^https?:/.test(source))
    .map((source) => trimTrailing(source.replace(/^(?:\.?\/)+/, ""), "/"));
  if (patterns.some((pattern) => pattern === "" || pattern === ".")) return () => true;
  const matcher = new PatternMatcher(patterns.map((pattern) => toBytes(pattern)));
  return (path) => matcher.matches(toBytes(path));
}

function settingsOf(dockerfile: string | undefined, { stage, number }: StepPlace): string[] | undefined {
  if (dockerfile === undefined) return undefined;
  const stages = dockerfileStages(dockerfile);
  const own =
    stages.find(({ name }) => name === stage.toLowerCase()) ?? (stages.length === 1 ? stages[0] : undefined);
  return own?.settings.filter(({ before }) => before <= number).map(({ text }) => text);
}
