import {
  type EventSink,
  InvalidArgumentError,
  abortError,
  isError,
  isSlipwayError,
  linkSignal,
  sideBySide,
  randomId,
} from "../core/index.js";
import { prefixVertices, shareLogs } from "../progress/index.js";
import type { BuildManyOptions, ManyResults, TargetOptions } from "./build-many.js";
import { type PartOfMany, buildOnNodes } from "./build-on-nodes.js";
import { BuildResources } from "./build-resources.js";
import type { BuildResult } from "./build-result.js";
import { type Prepared, prepare } from "./connection.js";
import { withCopyClasses } from "./copy-classes.js";
import { noOutputWarning } from "./run-target.js";
import { SharedMounts } from "./shared-mounts.js";
import { type SolvePlan, planBuild } from "./solve-plan.js";
import { TargetLinks, linksOf } from "./target-links.js";
import { TargetsError } from "./targets-error.js";
import { Turns } from "./turns.js";

/** See `buildMany()` in build-many.ts. */
export async function runMany(
  targets: ReadonlyMap<string, TargetOptions>,
  options: BuildManyOptions,
): Promise<ManyResults> {
  const prepared = await prepare(options);
  try {
    const plans = await withCopyClasses(await planAll(targets, prepared, options));
    return await new Many(plans, prepared, options).run(turnsOf(plans, options));
  } finally {
    await prepared.close();
  }
}

async function planAll(
  targets: ReadonlyMap<string, TargetOptions>,
  { facts }: Prepared,
  { signal }: BuildManyOptions,
): Promise<Map<string, SolvePlan>> {
  const names = [...targets.keys()].sort();
  const plans = await sideBySide(signal, names, (name, planning) =>
    planBuild(targets.get(name) as TargetOptions, { ...facts, signal: planning }).catch((error: unknown) => {
      throw targets.size > 1 ? ofTarget(name, error) : error;
    }),
  );
  return new Map(names.map((name, at) => [name, plans[at] as SolvePlan]));
}

/** How many run at the same time. */
function turnsOf(
  plans: ReadonlyMap<string, SolvePlan>,
  { concurrency, deferOutputs }: BuildManyOptions,
): Turns {
  const most = concurrency || plans.size;
  if (most >= plans.size) return new Turns(plans.size);
  if (deferOutputs)
    throw new InvalidArgumentError(
      "defer-output execution requires parallelism to be unlimited or at least the number of targets, including targets referenced by target contexts",
    );
  if ([...plans.values()].some(({ attrs }) => linksOf(attrs).size > 0))
    throw new InvalidArgumentError("limited parallelism is not supported with linked targets");
  return new Turns(most);
}

/** Targets while they are built. */
class Many {
  readonly #plans: ReadonlyMap<string, SolvePlan>;
  readonly #prepared: Prepared;
  readonly #options: BuildManyOptions;
  readonly #results = new Map<string, BuildResult>();
  readonly #failures = new Map<string, Error>();
  /** What errors said before a target's name stood in front of it. */
  readonly #plain = new Map<Error, string>();
  readonly #refs: string[] = [];
  readonly #groupRef = randomId();

  constructor(plans: ReadonlyMap<string, SolvePlan>, prepared: Prepared, options: BuildManyOptions) {
    this.#plans = plans;
    this.#prepared = prepared;
    this.#options = options;
  }

  async run(turns: Turns): Promise<ManyResults> {
    const { facts, nodes } = this.#prepared;
    const { onEvent, signal, describe = true } = this.#options;
    this.#warnOnce();
    // The builder boots for all of them, and once.
    await nodes.connect(nodes.firstIndex, { signal, onEvent });
    using linked = linkSignal(signal);
    await using mounts = new SharedMounts(this.#plans.values(), linked.signal);
    const { env, dockerConfig } = facts;
    await using resources = new BuildResources({ env, dockerConfig, describe, mounts });
    const links = await this.#links(linked.signal);
    const logs = onEvent && shareLogs(onEvent);
    const running = [...this.#plans].map(async ([name, plan]) => {
      const sink = this.#sink(name, logs);
      try {
        const result = await turns.take(linked.signal, () =>
          buildOnNodes(
            { ...plan, noOutput: false, warnings: [], ...(links.ties(name) && { retries: 0 }) },
            { nodes, resources, sink, signal: linked.signal, target: this.#target(name, links) },
          ),
        );
        this.#results.set(name, result);
      } catch (thrown) {
        const error = this.#plans.size > 1 ? this.#named(name, thrown) : asError(thrown);
        links.fail(name, error);
        this.#failures.set(name, error);
        if (this.#options.onTargetError !== "continue") linked.abort(error);
      }
    });
    await Promise.all(running);
    await this.#saveGroup();
    if (signal?.aborted) throw abortError(signal);
    if (this.#options.onTargetError !== "continue") this.#throwFailures();
    return { results: this.#results, failures: this.#failures };
  }

  /** What is about all targets, said once. */
  #warnOnce(): void {
    const { onEvent } = this.#options;
    const warn = (text: string) => onEvent?.({ type: "message", level: "warning", text });
    const idle = [...this.#plans].filter(([, { noOutput }]) => noOutput).map(([name]) => name);
    const driver = this.#prepared.nodes.first.driver.name;
    if (idle.length > 0) warn(noOutputWarning(driver, idle.join() === "default" ? [] : idle));
    for (const text of new Set([...this.#plans.values()].flatMap(({ warnings }) => warnings))) warn(text);
  }

  /** How targets depend on one another, on the nodes that build them. */
  async #links(signal: AbortSignal): Promise<TargetLinks> {
    const { nodes } = this.#prepared;
    const { onEvent, deferOutputs = false } = this.#options;
    const isAlone = nodes.size === 1;
    const shares = [...this.#plans].map(async ([name, { platforms, call }]) => {
      const own = isAlone
        ? []
        : (await nodes.share(platforms, { signal, onEvent })).map(({ index }) => index);
      const [first = nodes.firstIndex] = own;
      // An answer of the frontend is asked for on one node alone.
      return [name, call || own.length === 0 ? [first] : own] as const;
    });
    return new TargetLinks(this.#plans, new Map(await Promise.all(shares)), deferOutputs);
  }

  #target(name: string, links: TargetLinks): PartOfMany {
    return {
      name,
      groupRef: this.#groupRef,
      ask: (node, plan) => links.ask(name, node, plan),
      onRef: (ref) => void this.#refs.push(ref),
    };
  }

  /** A target's events to the display, with its name where there are several, and to whoever wants them by target. */
  #sink(name: string, logs: (() => EventSink) | undefined): EventSink | undefined {
    const { onTargetEvent, onEvent } = this.#options;
    if (!onTargetEvent && !logs) return undefined;
    const shown = logs && prefixVertices(logs(), this.#plans.size > 1 ? name : "");
    const sink: EventSink = (event) => {
      shown?.(event);
      onTargetEvent?.(name, event);
    };
    sink.ready = () => onEvent?.ready?.();
    return sink;
  }

  async #saveGroup(): Promise<void> {
    const { asked = [...this.#plans.keys()] } = this.#options;
    if (this.#refs.length === 0) return;
    await this.#prepared.nodes.first.saveGroup?.(this.#groupRef, { targets: asked, refs: this.#refs.sort() });
  }

  /** The error with the target's name in front, but for one with which several failed, such as a lost connection. */
  #named(name: string, thrown: unknown): Error {
    const error = asError(thrown);
    const plain = this.#plain.get(error);
    if (plain !== undefined) {
      error.message = plain;
      return error;
    }
    this.#plain.set(error, error.message);
    return ofTarget(name, error);
  }

  /** Throws what went wrong, but for what only followed from it. */
  #throwFailures(): void {
    const causes = new Map(
      [...this.#failures].filter(
        ([, error]) => !isSlipwayError(error, "ABORTED") && !isSlipwayError(error, "TARGET_LINK"),
      ),
    );
    const [first = [...this.#failures.values()][0], another] = new Set(causes.values());
    if (another) throw new TargetsError(causes);
    if (first) throw first;
  }
}

function asError(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error(String(thrown));
}

/** The error with the target's name in front; its class and what else it says stay as they are. */
function ofTarget(name: string, thrown: unknown): Error {
  const error = asError(thrown);
  if (isSlipwayError(error) && !isSlipwayError(error, "ABORTED"))
    error.message = `target ${name}: ${error.message}`;
  return error;
}
