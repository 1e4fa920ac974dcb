import type { NodeShare } from "../../builder/index.js";
import { type BuildOnNodesContext, buildOnNodes } from "../build-on-nodes.js";
import { BuildError, onErrorClosed } from "../build-error.js";
import type { BuildResult } from "../build-result.js";
import { holdOutputs } from "../caller-streams.js";
import {
  type EventSink,
  InvalidArgumentError,
  type NetworkReport,
  abortError,
  guardEvents,
  isError,
  linkSignal,
  readOptions,
} from "../../core/index.js";
import type { PlannedOutputs } from "../outputs.js";
import type { Output } from "../parse/output.js";
import type { JudgedSource } from "../policy/source-policy.js";
import { runOnNode } from "../run-on-node.js";
import type { SolvePlan } from "../solve-plan.js";
import { HeldBuild, lostWith } from "./held-build.js";
import { LateOutputs } from "./late-outputs.js";
import { outputsKind } from "../option-kinds.js";
import { exportKinds } from "./option-kinds.js";
import { type HeldRoots, LiveFiles } from "./live-files.js";

/** Options of `openResult()` besides those of the build. */
export interface OpenResultOptions {
  /** Closed by itself after so many milliseconds without use. Default 10 minutes. */
  idleMilliseconds?: number;
}

const defaultIdle = 10 * 60_000;

/** Options of {@link OpenResult.export}. */
export interface ExportOptions {
  /** Names of the image; by default those of the build. */
  tags?: readonly string[];
  /** Gets what happens. */
  onEvent?: EventSink;
  signal?: AbortSignal;
}

/** Looks into what a build made. */
export type Look = (files: LiveFiles) => Promise<void>;

/** Plans and makes exports of what is held. */
export interface Exporter {
  plan(outputs: readonly Output[], tags: readonly string[] | undefined): Promise<PlannedOutputs>;
  late: LateOutputs;
}

/** What a build made, kept in the builder: looked into and run in until it is closed. Dispose of it when done. */
export class OpenResult extends LiveFiles implements AsyncDisposable {
  readonly #held: HeldRoots;
  readonly #exporter: Exporter;
  readonly #close: () => Promise<void>;

  /** @internal */
  constructor(held: HeldRoots, exporter: Exporter, close: () => Promise<void>) {
    super(held);
    this.#held = held;
    this.#exporter = exporter;
    this.#close = close;
  }

  /**
   * What the build has asked of the network, and what commands that run in the result have, of a build with `proxyNetwork`; as much as
   * is known when it is read. Of commands only the URL, and whether it was allowed.
   */
  get network(): NetworkReport | undefined {
    return this.#exporter.late.network;
  }

  /** What the policies have said of the sources, of a build with `policy`. */
  get judged(): JudgedSource[] | undefined {
    return this.#exporter.late.judged;
  }

  /**
   * Loads, pushes or writes what was built, as the outputs of `build()` do: exactly that which is looked into. No step runs again,
   * and nothing is read again from the context. One after the other, when there are several at once.
   *
   * @throws InvalidArgumentError that names the output; SlipwayError `RESULT_CLOSED`; AbortedError; what outputs of a build fail with
   */
  async export(outputs: readonly Output[], given: ExportOptions = {}): Promise<BuildResult> {
    holdOutputs({ outputs });
    const { tags, onEvent, signal } = readOptions("export()", given, exportKinds);
    const fault = outputsKind.fault(outputs);
    if (fault) throw new InvalidArgumentError(`the outputs of export()${fault.path} ${fault.problem}`);
    const events = onEvent && guardEvents(onEvent);
    const { closing, use } = this.#held;
    const result = await use(async () => {
      const planned = this.#planned(outputs, tags);
      // It is waited for when its turn has come: they go in the order of asking, not in that of planning.
      planned.catch(() => {});
      if (signal?.aborted) throw abortError(signal);
      using open = linkSignal(closing);
      using linked = linkSignal(signal);
      const onClose = () => linked.abort(closing.reason);
      if (open.signal.aborted) onClose();
      open.signal.addEventListener("abort", onClose, { once: true });
      return await this.#exporter.late.export(planned, { sink: events?.sink, signal: linked.signal });
    });
    events?.throwIfFailed();
    return result;
  }

  async #planned(outputs: readonly Output[], tags: readonly string[] | undefined) {
    const { exports } = await this.#exporter.plan(outputs, tags);
    if (exports.length === 0) throw new InvalidArgumentError("export() needs an output besides the cache");
    return exports;
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
  options: OpenResultOptions & {
    keepFailure: boolean;
    planOutputs: Exporter["plan"];
    onClosed: () => Promise<void>;
  },
): Promise<OpenResult> {
  const share = await onlyShare(plan, context);
  const { idleMilliseconds = defaultIdle } = options;
  const held = new HeldBuild({ result: true, failure: options.keepFailure, idleMilliseconds });
  const late = new LateOutputs();
  const running = runOnNode({ ...plan, retries: 0 }, share, { ...context, ask: held.ask, late });
  const ended = closing(held, running, options.onClosed);
  const failed = running.then(() => Promise.reject(new Error("the build ended before its result was there")));
  try {
    const exporter = { plan: options.planOutputs, late };
    return new OpenResult(await Promise.race([held.opened, failed]), exporter, ended);
  } catch (error) {
    if (error instanceof BuildError && error.files) onErrorClosed(error, ended);
    else await ended();
    throw error;
  }
}

/**
 * Runs a plan on one node, and shows what it made before it is exported.
 *
 * @throws InvalidArgumentError for a build on several nodes; BuildError
 */
export async function buildLooking(
  plan: SolvePlan,
  context: BuildOnNodesContext,
  options: { look: Look; keepFailure: boolean; onClosed: () => Promise<void> },
): Promise<BuildResult> {
  const share = await onlyShare(plan, context);
  const held = new HeldBuild({
    result: true,
    failure: options.keepFailure,
    idleMilliseconds: defaultIdle,
  });
  const running = runOnNode({ ...plan, retries: 0 }, share, { ...context, ask: held.ask });
  const ended = closing(held, running, options.onClosed);
  const failed = running.then(() => Promise.reject(new Error("the build ended before its result was there")));
  try {
    const roots = await Promise.race([held.opened, failed]);
    // What could not be looked into does not come out.
    await roots
      .use(() => options.look(new LiveFiles(roots)))
      .catch((error: unknown) => {
        held.reject(isError(error) ? error : new Error(String(error)));
        throw error;
      });
    held.release();
    return await running;
  } catch (error) {
    if (error instanceof BuildError && error.files) onErrorClosed(error, ended);
    else await ended();
    throw error;
  }
}

/** The one share of a build that is to be looked into. */
async function onlyShare(plan: SolvePlan, { nodes, sink, signal }: BuildOnNodesContext): Promise<NodeShare> {
  const [share = { index: nodes.firstIndex, platforms: [] }, another] = await nodes.share(plan.platforms, {
    signal,
    onEvent: sink,
  });
  if (another)
    throw new InvalidArgumentError(
      "a result can be opened of a build on one node: build for platforms of one node, one after the other",
    );
  return share;
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
