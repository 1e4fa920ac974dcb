import { type BuildExplanation, type EventSink, type NetworkReport, isSlipwayError } from "../core/index.js";
import { type Attachable, Session } from "../session/index.js";
import type { BuildError } from "./build-error.js";
import type { ConnectedNode } from "./connected-node.js";
import { BuildNotes } from "./build-notes.js";
import type { BuildResources } from "./build-resources.js";
import type { BuildResult } from "./build-result.js";
import { ClientTrace } from "./client-trace.js";
import type { ExplainWatch } from "./explain/explain-watch.js";
import { openTargets } from "./export-targets.js";
import type { AskGateway } from "./gateway-drive.js";
import type { LateOutputs } from "./live/late-outputs.js";
import type { SolvePlan } from "./solve-plan.js";
import { sessionServices } from "./session-services.js";
import { needsOf, settleOnNode } from "./settle-on-node.js";
import { askFrontend } from "./solve-request.js";
import { type SolveOutcome, solve } from "./solve.js";
import { targetResult } from "./target-result.js";
import { TargetRun } from "./target-run.js";

/** What {@link runTarget} works with besides the plan. */
export interface RunTargetOptions {
  resources: BuildResources;
  node: ConnectedNode;
  sink?: EventSink | undefined;
  signal?: AbortSignal | undefined;
  /** Drives the build; by default the plan's frontend does. */
  ask?: AskGateway | undefined;
  /** Is told when the builder has taken the build's session; until then it knows nothing of the build. */
  onSession?: (() => void) | undefined;
  /** Notes what is built under the build's id, as buildx does in its `refs`. That it cannot is no error. */
  saveRef?: ((plan: SolvePlan) => Promise<void>) | undefined;
  /** Notes that the builder is used. That it cannot is no error. */
  touch?: (() => Promise<void>) | undefined;
  /** Lets the build be exported later, while it is held. */
  late?: LateOutputs | undefined;
  /** Called when a result begins to come out. */
  onExport?: (() => void) | undefined;
}

/**
 * Runs a plan on a live node: settles what depends on the node, opens what receives the results and the session that serves the
 * build, solves, and checks what the builder says came of it.
 *
 * @throws BuildError for a failed step; AbortedError after tear-down; what failed on this side.
 */
export async function runTarget(planned: SolvePlan, options: RunTargetOptions): Promise<BuildResult> {
  const { resources, node, sink, signal, onExport, late } = options;
  await using run = new TargetRun(planned, { resources, node, sink, signal, late });
  if (planned.noOutput) run.warn(noOutputWarning(node.driver.name));
  for (const text of planned.warnings) run.warn(text);
  const { plan, enginePushes } = await settleOnNode(planned, run);
  const opened = await openTargets(plan, run);
  const shared = await resources.mounts?.join(plan, node.client, {
    onError: run.failures.add,
    onWarning: (text) => run.warn(text),
  });
  const { targets } = opened;
  const attachables = await sessionServices(plan, run, { targets, onExport, locals: shared?.locals });
  if (plan.epoch) await warnOf(plan, run);
  const ref = `${node.builderName}/${node.nodeName}/${plan.ref}`;
  let outcome: SolveOutcome | undefined;
  let explained: BuildExplanation | undefined;
  if (plan.explain) run.explaining = await explaining(plan, run);
  try {
    const attrs = { ...plan.attrs, ...shared?.attrs };
    const ask = await askOf(plan, run, options.ask);
    const whole = { ...plan, attrs, exports: opened.exports };
    const annotate = (error: Error) => annotateError(error, { plan, run, ref });
    const { onSession, saveRef, touch } = options;
    const { prepare } = opened;
    const told = { ask, onSession, saveRef, touch, prepare, shared: shared?.sessions, annotate };
    outcome = await solveInSession(whole, run, attachables, told);
  } catch (error) {
    annotateError(error, { plan, run, ref });
    throw signal?.aborted ? error : (run.failures.all[0] ?? error);
  } finally {
    if (run.network) tellNetwork(run, run.network.report());
    if (!signal?.aborted) explained = await run.explaining?.finish({ isGood: outcome !== undefined });
    if (explained) run.sink({ type: "explained", ...explained });
  }
  const result = await targetResult(outcome, { plan, run, opened, enginePushes, ref });
  return explained ? { ...result, explained } : result;
}

/** Adds what is known of the run to an error of the build; of one whose step is kept it is what is known by the time it is read. */
function annotateError(
  error: unknown,
  { plan, run, ref }: { plan: SolvePlan; run: TargetRun; ref: string },
): void {
  if (!isSlipwayError(error, "BUILD_FAILED")) return;
  const failed = error as BuildError;
  if (!plan.call) failed.ref = ref;
  const { network, judge } = run;
  const later = (name: "network" | "judged", get: () => unknown) =>
    Object.defineProperty(failed, name, { get, enumerable: true, configurable: true });
  if (network) later("network", () => network.report());
  if (judge) later("judged", () => judge.report());
}

/** Drives the build, with its cache mounts where they are carried. Loaded for the few builds that ask for it. */
async function askOf(
  { cacheMounts }: SolvePlan,
  { sink }: TargetRun,
  ask: AskGateway | undefined,
): Promise<AskGateway | undefined> {
  if (!cacheMounts) return ask;
  const { carryCacheMounts } = await import("./cache-mounts/carry-cache-mounts.js");
  return carryCacheMounts(cacheMounts, { sink, ask });
}

/** What the solve of a run is told besides the run. */
interface SessionOptions extends Pick<RunTargetOptions, "ask" | "onSession" | "saveRef" | "touch"> {
  shared: readonly Session[] | undefined;
  prepare: (() => void) | undefined;
  annotate: (error: Error) => void;
}

async function solveInSession(
  plan: SolvePlan,
  run: TargetRun,
  attachables: readonly Attachable[],
  { ask, onSession, saveRef, touch, prepare, ...more }: SessionOptions,
): Promise<SolveOutcome> {
  const { node, resources, redactor, sink, signal } = run;
  const asking = await askWatched(plan, ask);
  const { client } = node;
  const { sharedKey } = plan.inputs;
  const trace = new ClientTrace(resources.env, redactor);
  const build = trace.begin("build", "internal", {
    attributes: { builder: node.builderName, node: node.nodeName },
  });
  const below = (name: string) => trace.begin(name, "client", { below: build });
  let sending: Promise<void> | undefined;
  try {
    const pipe = below("moby.buildkit.v1.Control/Session");
    await using notes = new BuildNotes(() =>
      Promise.all([touch?.(), plan.call ? undefined : saveRef?.(plan), trace.send(client)]),
    );
    await using session = await Session.open(client, {
      attachables: trace.watched(attachables),
      sharedKey,
      signal,
    });
    onSession?.();
    run.late?.begin({ plan, run, session, saveRef });
    const spans = { solve: below("moby.buildkit.v1.Control/Solve"), frontend: below("frontend") };
    try {
      // Behind the calls, which are sent by the end of this turn.
      if (prepare) setImmediate(prepare);
      const outcome = await solve({
        client,
        plan,
        session,
        ask: asking,
        onTold: () => notes.write(),
        sink,
        signal: run.stopping.signal,
        redactor,
        spans,
        ...more,
      });
      build.end();
      return outcome;
    } catch (error) {
      build.end(error);
      throw error;
    } finally {
      pipe.end();
      // While the session is closed.
      if (!signal?.aborted) sending = trace.send(client);
    }
  } finally {
    await sending;
  }
}

/** Loaded for the few builds that need it. */
async function warnOf(plan: SolvePlan, run: TargetRun): Promise<void> {
  const { warnUnreproducible } = await import("./reproducible/warn-unreproducible.js");
  return warnUnreproducible(plan, run);
}

/** Loaded for the few builds that need it. */
async function explaining(plan: SolvePlan, run: TargetRun): Promise<ExplainWatch> {
  const { ExplainWatch } = await import("./explain/explain-watch.js");
  return new ExplainWatch(plan, run);
}

/** The cache does not know of the proxy: what ran before without it is taken as it is. */
function tellNetwork(run: TargetRun, report: NetworkReport): void {
  run.sink({ type: "network", ...report });
  const count = report.cachedSteps.length;
  if (count === 0) return;
  const steps = count === 1 ? "1 RUN step" : `${count} RUN steps`;
  const text = `${steps} came from the cache and asked nothing of the network this time; --no-cache runs them again`;
  run.sink({ type: "message", level: "info", text });
}

/** Loaded for the few builds that need it: refuses daemons that would not do what must not be left out. */
async function askWatched(plan: SolvePlan, ask: AskGateway = askFrontend): Promise<AskGateway> {
  const needs = needsOf(plan);
  if (!needs.proxy && !needs.policySession) return ask;
  const { requiring } = await import("./network/require-proxy.js");
  return requiring(needs, ask);
}

/** The warning of the driver's page, word for word; with the targets it is about, where there are several. */
export function noOutputWarning(driver: string, targets: readonly string[] = []): string {
  const of = targets.length > 0 ? `for ${targets.join(", ")} target(s) ` : "";
  return (
    `No output specified ${of}with ${driver} driver. Build result will only remain in the build cache. ` +
    "To push result image into registry use --push or to load image into docker use --load"
  );
}
