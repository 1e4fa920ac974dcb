import type { gateway, pb } from "../buildkit/index.js";
import { SlipwayError, messageOf, untilAborted } from "../core/index.js";
import type { FrontendAttrs } from "./frontend-attrs.js";
import type { AskGateway, Gateway } from "./gateway-drive.js";
import type { SolvePlan } from "./solve-plan.js";
import { frontendRequest } from "./solve-request.js";

/** Something that is known later; whoever waits for it hears of its failure, and nobody needs to. */
class Later<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (error: Error) => void;

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.catch(() => {});
  }
}

/** How far a target is on one node. */
interface Progress {
  /** The frontend has answered with what is to be built. */
  readonly described: Later<gateway.Result | undefined>;
  /** All of it has been built. */
  readonly built: Later<void>;
}

/** Targets that a plan's contexts come from, each with the attributes that name it. */
export function linksOf(attrs: Readonly<FrontendAttrs>): Map<string, string[]> {
  const links = new Map<string, string[]>();
  for (const [key, value] of Object.entries(attrs)) {
    if (!key.startsWith("context:") || !value.startsWith("target:")) continue;
    const target = value.slice("target:".length);
    links.set(target, [...(links.get(target) ?? []), key]);
  }
  return links;
}

/**
 * Lets targets be built on one another's results, on the same node: what a target's frontend describes goes into the question to
 * that of each target which uses it (buildx v0.38 build/build.go waitContextDeps). Its own build, whose session serves its contexts
 * and secrets, stays open until they have been built as well.
 */
export class TargetLinks {
  readonly #progress = new Map<string, Map<number, Progress>>();
  readonly #users = new Map<string, Set<string>>();
  /** Targets that are built on others. */
  readonly #bound = new Set<string>();
  readonly #waitsForAll: boolean;

  /**
   * @param nodesOf nodes that a target is built on
   * @param waitsForAll nothing is put out before all targets have been built
   */
  constructor(
    plans: ReadonlyMap<string, SolvePlan>,
    nodesOf: ReadonlyMap<string, readonly number[]>,
    waitsForAll: boolean,
  ) {
    this.#waitsForAll = waitsForAll;
    for (const [name, plan] of plans) {
      const own = (nodesOf.get(name) ?? []).map((node) => {
        return [
          node,
          { described: new Later<gateway.Result | undefined>(), built: new Later<void>() },
        ] as const;
      });
      this.#progress.set(name, new Map(own));
      for (const target of linksOf(plan.attrs).keys()) {
        const users = this.#users.get(target) ?? new Set();
        this.#users.set(target, users.add(name));
        this.#bound.add(name);
      }
    }
  }

  /** Whether others wait for what becomes of a target, so that it cannot begin again elsewhere. */
  ties(target: string): boolean {
    return this.#waitsForAll || this.#users.has(target) || this.#bound.has(target);
  }

  /** Drives a target's build on a node; undefined where nothing is special about it. */
  ask(target: string, node: number, plan: SolvePlan): AskGateway | undefined {
    const links = linksOf(plan.attrs);
    const users = [...(this.#users.get(target) ?? [])].flatMap((user) => this.#on(user, node) ?? []);
    if (links.size === 0 && users.length === 0 && !this.#waitsForAll) return undefined;
    const own = this.#on(target, node);
    return async (bridge, { plan: spec, signal }) => {
      const request = frontendRequest(spec);
      const inputs: Record<string, pb.Definition> = {};
      for (const [other, keys] of links) {
        const described = await untilAborted(signal, this.#described(target, other, node));
        Object.assign(request.FrontendOpt, inputAttrs(`${node}-${other}`, keys, described, inputs));
        for (const key of keys)
          if (request.FrontendOpt[key] === `target:${other}`) delete request.FrontendOpt[key];
      }
      const { result } = await bridge.solve(
        { ...request, FrontendInputs: { ...request.FrontendInputs, ...inputs } },
        { signal },
      );
      own?.described.resolve(result);
      // What they ask for is part of the same graph, which is begun when all of it is known.
      await settled(
        signal,
        users.map((user) => user.described.promise),
      );
      await evaluate(result, bridge, signal);
      own?.built.resolve();
      await settled(
        signal,
        users.map((user) => user.built.promise),
      );
      if (this.#waitsForAll) await untilAborted(signal, this.#allBuilt());
      return result;
    };
  }

  /** Notes that a target has ended without a result: those that are built on it fail, and nobody waits for it. */
  fail(target: string, error: Error): void {
    for (const { described, built } of this.#progress.get(target)?.values() ?? []) {
      described.reject(error);
      built.reject(error);
    }
  }

  #on(target: string, node: number): Progress | undefined {
    return this.#progress.get(target)?.get(node);
  }

  async #described(target: string, other: string, node: number): Promise<gateway.Result | undefined> {
    const progress = this.#on(other, node);
    if (!progress)
      throw new SlipwayError(
        "TARGET_LINK",
        `failed to use ${other} as a context for ${target} because targets build with different drivers: build both for platforms of one node`,
      );
    try {
      return await progress.described.promise;
    } catch (cause) {
      throw new SlipwayError(
        "TARGET_LINK",
        `${other}, which it is built on, has failed: ${messageOf(cause)}`,
        { cause },
      );
    }
  }

  async #allBuilt(): Promise<void> {
    const all = [...this.#progress.values()].flatMap((nodes) => [...nodes.values()]);
    try {
      await Promise.all(all.map(({ built }) => built.promise));
    } catch (cause) {
      const text = `nothing is put out, since another has failed: ${messageOf(cause)}`;
      throw new SlipwayError("TARGET_LINK", text, { cause });
    }
  }
}

/** Waits until all have come to an end, whatever it is. */
async function settled(signal: AbortSignal, all: readonly Promise<unknown>[]): Promise<void> {
  if (all.length > 0) await untilAborted(signal, Promise.allSettled(all));
}

/** Attributes by which a frontend finds another target's result among its inputs (BK frontend/dockerui/namedcontext.go). */
function inputAttrs(
  name: string,
  keys: readonly string[],
  result: gateway.Result | undefined,
  inputs: Record<string, pb.Definition>,
): FrontendAttrs {
  const attrs: FrontendAttrs = {};
  for (const [platform, definition] of definitionsOf(result)) {
    const behind = platform === "" ? "" : `::${platform}`;
    const input = `${name}${behind}`;
    if (!definition?.def.length) {
      // Nothing cannot be an input; the frontend knows it by this name.
      for (const key of keys) attrs[`${key}${behind}`] = "docker-image://scratch";
      continue;
    }
    inputs[input] = definition;
    for (const key of keys) attrs[`${key}${behind}`] = `input:${input}`;
    const config =
      result?.metadata[platform === "" ? "containerimage.config" : `containerimage.config/${platform}`];
    if (config)
      attrs[`input-metadata:${input}`] = JSON.stringify({
        "containerimage.config": Buffer.from(config).toString("base64"),
      });
  }
  return attrs;
}

/** What a result is built of, by platform; by none where there is one. */
function definitionsOf(result: gateway.Result | undefined): Map<string, pb.Definition | undefined> {
  const given = result?.result;
  if (given?.case !== "refs") return new Map([["", given?.case === "ref" ? given.value.def : undefined]]);
  return new Map(Object.entries(given.value.refs).map(([platform, { def }]) => [platform, def]));
}

/** Has all of a result built, which is otherwise done when it is put out. */
async function evaluate(
  result: gateway.Result | undefined,
  bridge: Gateway,
  signal: AbortSignal,
): Promise<void> {
  const given = result?.result;
  const refs =
    given?.case === "refs" ? Object.values(given.value.refs) : given?.case === "ref" ? [given.value] : [];
  await Promise.all(
    refs.filter(({ id }) => id !== "").map(({ id }) => bridge.evaluate({ Ref: id }, { signal })),
  );
}
