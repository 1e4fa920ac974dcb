import { type BuildEvent, type BuildExplanation, linkSignal, messageOf } from "../../core/index.js";
import { displayPath, toBytes } from "../../fs/index.js";
import { digestTree, readTreeFile } from "../input-digest-tree.js";
import { largestDockerfile } from "../input-files.js";
import { ignoredBy } from "../input-digest.js";
import type { SolvePlan } from "../solve-plan.js";
import type { TargetRun } from "../target-run.js";
import { type BuildFacts, type StepFacts, argumentsOf } from "./build-facts.js";
import { explainSteps } from "./causes.js";
import { ExplainMemory } from "./earlier-build.js";
import { recordedBuild } from "./recorded-build.js";

/** Files whose digests are kept; with more, what changed among them is not told. */
const mostFiles = 100_000;

/** How long the builder may take to tell of earlier builds, in ms. */
const historyMilliseconds = 10_000;

/** Finds out why steps of a build ran, by what the last build of the same was made of. */
export class ExplainWatch {
  readonly #plan: SolvePlan;
  readonly #run: TargetRun;
  readonly #memory: ExplainMemory;
  readonly #steps = new Map<string, StepFacts>();
  readonly #files: Promise<ReadonlyMap<string, string> | undefined>;
  readonly #dockerfile: Promise<string | undefined>;
  readonly #earlier: Promise<BuildFacts | undefined>;

  constructor(plan: SolvePlan, run: TargetRun) {
    this.#plan = plan;
    this.#run = run;
    const { node, resources, signal } = run;
    const { localPath, dockerfilePath } = plan.inputs.recorded;
    this.#memory = new ExplainMemory(resources.env, {
      builder: node.builderName,
      node: node.nodeName,
      context: localPath,
      dockerfile: dockerfilePath,
      target: plan.attrs["target"] ?? "",
      platforms: plan.platforms,
    });
    // While the build runs; what it fails with is told at the end.
    this.#files = filesOf(plan, signal);
    this.#dockerfile = dockerfileOf(plan);
    this.#earlier = this.#memory.read().then((facts) => facts ?? this.#recorded());
    for (const work of [this.#files, this.#dockerfile, this.#earlier]) work.catch(() => {});
  }

  take(event: BuildEvent): void {
    if (event.type !== "status") return;
    for (const { digest, name, cached, started, inputs } of event.vertexes) {
      const known = this.#steps.get(digest);
      // What never began did not run.
      if (started)
        this.#steps.set(digest, { digest, name, cached: cached || known?.cached === true, inputs });
    }
  }

  /** What changed. A build that went well is what the next one is compared with. */
  async finish({ isGood }: { isGood: boolean }): Promise<BuildExplanation> {
    try {
      const now: BuildFacts = {
        ref: this.#plan.ref,
        steps: [...this.#steps.values()],
        args: argumentsOf(this.#plan.attrs),
        dockerfile: await this.#dockerfile.catch(() => undefined),
        files: await this.#files.catch(() => undefined),
        noCache: noCacheOf(this.#plan.attrs),
      };
      const earlier = await this.#earlier;
      if (isGood) await this.#memory.write(now);
      if (!earlier) return { steps: [], unknown: "no earlier build of this on this builder is known" };
      const clean = (text: string) => this.#run.redactor.clean(text);
      return { steps: explainSteps(now, earlier).map((step) => cleaned(step, clean)), earlier: earlier.ref };
    } catch (error) {
      return { steps: [], unknown: messageOf(error) };
    }
  }

  async #recorded(): Promise<BuildFacts | undefined> {
    const { node, signal } = this.#run;
    const { localPath, dockerfilePath } = this.#plan.inputs.recorded;
    // No build waits for ever for a daemon that does not tell of another.
    const deadline = { milliseconds: historyMilliseconds, what: "reading the builder's history" };
    using limited = linkSignal(signal, deadline);
    return await recordedBuild(node.client, {
      signal: limited.signal,
      async isSame(ref) {
        const state = await node.readRef?.(ref);
        return state?.localPath === localPath && state.dockerfilePath === dockerfilePath && ref !== "";
      },
    });
  }
}

function noCacheOf(attrs: SolvePlan["attrs"]): BuildFacts["noCache"] {
  const text = attrs["no-cache"];
  if (text === undefined) return [];
  return text === "" ? "all" : text.split(",");
}

async function dockerfileOf({ attrs, inputs }: SolvePlan): Promise<string | undefined> {
  const dir = inputs.locals.get("dockerfile");
  const content =
    dir && (await readTreeFile(dir, toBytes(attrs["filename"] ?? "Dockerfile"), largestDockerfile));
  return content?.toString("utf8");
}

/** Digests of what contexts on this side would send, by `name/path`; undefined when there are too many. */
async function filesOf(
  { attrs, inputs }: SolvePlan,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string> | undefined> {
  const files = new Map<string, string>();
  for (const [name, dir] of inputs.locals) {
    if (name === "dockerfile") continue;
    const exclude = await ignoredBy(name, dir, { attrs, locals: inputs.locals });
    await digestTree(dir, {
      exclude,
      signal,
      onEntry: ({ path, mode, linkname }, digest) => {
        if (files.size <= mostFiles)
          files.set(
            `${name}/${displayPath(path)}`,
            `${mode.toString(8)} ${digest?.toString("hex") ?? linkname}`,
          );
      },
    });
  }
  return files.size > mostFiles ? undefined : files;
}

function cleaned<T>(value: T, clean: (text: string) => string): T {
  if (typeof value === "string") return clean(value) as T;
  if (Array.isArray(value)) return value.map((one: unknown) => cleaned(one, clean)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, cleaned(one as unknown, clean)]),
  ) as T;
}
