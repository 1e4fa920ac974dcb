import { type BuildOnNodesContext, buildOnNodes } from "../build-on-nodes.js";
import { BuildError, onErrorClosed } from "../build-error.js";
import type { BuildResult } from "../build-result.js";
import { InvalidArgumentError } from "../../core/index.js";
import { runOnNode } from "../run-on-node.js";
import type { SolvePlan } from "../solve-plan.js";
import { HeldBuild, lostWith } from "./held-build.js";
import { type HeldRoots, LiveFiles } from "./live-files.js";

/** Options of `openResult()` besides those of the build. */
export interface OpenResultOptions {
  /** Closed by itself after so many milliseconds without use. Default 10 minutes. */
  idleMilliseconds?: number;
}

const defaultIdle = 10 * 60_000;

/** What a build made, kept in the builder: looked into and run in until it is closed. Dispose of it when done. */
export class OpenResult extends LiveFiles implements AsyncDisposable {
  readonly #close: () => Promise<void>;

  /** @internal */
  constructor(held: HeldRoots, close: () => Promise<void>) {
    super(held);
    this.#close = close;
  }

  /** Lets go of the result; calls under way fail. Idempotent. */
  close(): Promise<void> {
    return this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Runs a plan on one node, and keeps what it made.
 *
 * @throws InvalidArgumentError for a build on several nodes; BuildError
 */
export async function openPlan(
  plan: SolvePlan,
  context: BuildOnNodesContext,
  options: OpenResultOptions & { keepFailure: boolean; onClosed: () => Promise<void> },
): Promise<OpenResult> {
  const { nodes, sink, signal } = context;
  const [share = { index: nodes.firstIndex, platforms: [] }, another] = await nodes.share(plan.platforms, {
    signal,
    onEvent: sink,
  });
  if (another)
    throw new InvalidArgumentError(
      "a result can be opened of a build on one node: build for platforms of one node, one after the other",
    );
  const { idleMilliseconds = defaultIdle } = options;
  const held = new HeldBuild({ result: true, failure: options.keepFailure, idleMilliseconds });
  const running = runOnNode({ ...plan, retries: 0 }, share, { ...context, ask: held.ask });
  const ended = closing(held, running, options.onClosed);
  const failed = running.then(() => Promise.reject(new Error("the build ended before its result was there")));
  try {
    return new OpenResult(await Promise.race([held.opened, failed]), ended);
  } catch (error) {
    if (error instanceof BuildError && error.files) onErrorClosed(error, ended);
    else await ended();
    throw error;
  }
}

/** Runs a plan as any other, but keeps the step that failed until the error is closed. */
export async function buildKeeping(
  plan: SolvePlan,
  context: BuildOnNodesContext,
  onClosed: () => Promise<void>,
): Promise<BuildResult> {
  const held = new HeldBuild({ result: false, failure: true, idleMilliseconds: defaultIdle });
  const running = buildOnNodes({ ...plan, retries: 0 }, { ...context, ask: held.ask });
  const ended = closing(held, running, onClosed);
  const failed = held.opened.then(() => Promise.reject(new Error("nothing was to be kept")));
  try {
    const result = await Promise.race([running, failed]);
    await ended();
    return result;
  } catch (error) {
    if (error instanceof BuildError && error.files) onErrorClosed(error, ended);
    else await ended();
    throw error;
  }
}

/** Ends a build that is held, once, and what was opened for it. */
function closing(
  held: HeldBuild,
  running: Promise<unknown>,
  onClosed: () => Promise<void>,
): () => Promise<void> {
  let ended: Promise<void> | undefined;
  const close = (lost?: Parameters<HeldBuild["release"]>[0]) =>
    (ended ??= (async () => {
      held.release(lost);
      // What the build ends with is known by now, or of no use any more.
      await running.catch(() => {});
      await onClosed();
    })());
  // It may end by itself: unused for long, or with its connection.
  void running.then(
    () => close(),
    (error: unknown) => close(lostWith(error)),
  );
  return () => close();
}
