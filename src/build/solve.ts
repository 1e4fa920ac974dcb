import { type BuildkitClient, BuildkitError } from "../buildkit/index.js";
import {
  type EventSink,
  Redactor,
  type SourceInfo,
  abortError,
  isSlipwayError,
  linkSignal,
} from "../core/index.js";
import { shiftToLocalClock } from "../progress/index.js";
import type { Session } from "../session/index.js";
import { BuildErrorCollector, sourceWithPath } from "./build-error.js";
import type { OpenSpan } from "./client-trace.js";
import { type AskGateway, type AskOptions, driveGateway } from "./gateway-drive.js";
import { type SolveSpec, askFrontend, solveRequest } from "./solve-request.js";
import { type StepTrust, originalSource, withoutMounts } from "./trust-ca/step-trust.js";
import { StatusWatch, statusSilenceMilliseconds } from "./status-watch.js";

/** How long a cancelled build may take to tell its end, in ms: with what follows it is over within 5 s (FLT-30). */
const tearDownMilliseconds = 2_500;

/** What a solve gave. */
export interface SolveOutcome {
  /** Digests and names of what was exported (BK exporter response). */
  response: ReadonlyMap<string, string>;
  /** Metadata of the frontend's result, e.g. the answer to a call. */
  metadata: ReadonlyMap<string, Uint8Array>;
}

/** What {@link solve} works with. */
export interface SolveOptions {
  client: BuildkitClient;
  plan: SolveSpec;
  /** Serves what the build asks of this side. Whoever opened it closes it when the build has ended. */
  session: Session;
  /** Sessions that serve it beside others. */
  shared?: readonly Session[] | undefined;
  /** Drives the build; by default the plan's frontend does. */
  ask?: AskGateway | undefined;
  sink?: EventSink | undefined;
  signal?: AbortSignal | undefined;
  /** Knows the secrets of this build. */
  redactor?: Redactor | undefined;
  /** Adds what is known of the run to an error that is told before the build has ended. */
  annotate?: ((error: Error) => void) | undefined;
  /** Called when the daemon has told all that was done, and gets ready to answer. */
  onTold?: (() => void) | undefined;
  /** What the solve, and what is asked of its gateway, are in a trace. */
  spans?: { solve: OpenSpan; frontend: OpenSpan } | undefined;
}

/**
 * Runs one build in a session: asks for the solve with an empty frontend, drives the frontend through the gateway, and passes the
 * status stream on until it ends (BK client/solve.go, client/build.go). All calls go out at once; the daemon holds gateway calls
 * up to 3 s for their solve to be known (BK util/registrar).
 *
 * @throws BuildError for a failed step; AbortedError after the daemon has been told and has answered, or 2.5 s.
 */
export async function solve(options: SolveOptions): Promise<SolveOutcome> {
  const { client, plan, session, shared = [], sink, signal, redactor = new Redactor(), annotate } = options;
  const { trust } = plan;
  const locate = (info: SourceInfo) => sourceWithPath(originalSource(info, trust), plan);
  const collector = new BuildErrorCollector(redactor, locate, (text) => withoutMounts(text, trust));
  using calls = linkSignal(signal);
  using watching = linkSignal(undefined);
  const watch = new StatusWatch({
    client,
    ref: plan.ref,
    sink: cleaning(trust, collecting(collector, locate, sink)),
    signal: watching.signal,
    onExceeded: (error) => calls.abort(error),
  });
  if (options.onTold) void watch.ended.then(options.onTold);
  // Whatever is waited for below ends so, also a display that takes nothing.
  using _ = afterAbort(calls.signal, tearDownMilliseconds, () =>
    watching.abort("the daemon does not tell the build's end"),
  );
  // A dead session does not end the solve by itself: the daemon may wait for it for ever.
  for (const one of [session, ...shared])
    void one.closed.then((reason) => {
      if (reason) calls.abort(reason);
    });
  try {
    return await solveAndAsk(options, calls.signal, watch, (error) => {
      const explained = collector.explain(error);
      annotate?.(explained);
      return explained;
    });
  } catch (error) {
    await (calls.signal.aborted ? watch.ended : watch.finish());
    if (signal?.aborted) throw abortError(signal);
    if (calls.signal.aborted) throw calls.signal.reason;
    throw collector.explain(error);
  } finally {
    await watch.finish();
    watching.abort("the build has ended");
  }
}

/** The two halves of a build, the solve and what is asked of its gateway, to the end of both. */
async function solveAndAsk(
  { client, plan, session, spans, ask = askFrontend }: SolveOptions,
  signal: AbortSignal,
  watch: StatusWatch,
  explain: AskOptions["explain"],
): Promise<SolveOutcome> {
  using asking = linkSignal(signal);
  const solved = client.control.solve(solveRequest(plan, session.id), {
    signal,
    headers: spans?.solve.headers ?? {},
  });
  const asked = driveGateway(client.gateway(plan.ref, spans?.frontend.headers), ask, {
    signal: asking.signal,
    plan,
    explain,
  });
  if (spans) {
    endWith(spans.solve, solved);
    endWith(spans.frontend, asked);
  }
  let isAnswered = false;
  asked.then(
    () => (isAnswered = true),
    () => (isAnswered = true),
  );
  solved.catch(() => {
    // What is refused from the start never gets a gateway, for which the daemon would have calls wait.
    if (!isAnswered) watch.refused();
    asking.abort("the solve has failed");
  });
  const [solution, answer] = await Promise.allSettled([
    solved,
    asked.catch((error: unknown) => failSlowly(error, solved)),
  ]);
  // The solve says better what failed, but for our own errors, which it can only repeat.
  const isOurs =
    answer.status === "rejected" &&
    !(answer.reason instanceof BuildkitError) &&
    !isSlipwayError(answer.reason, "ABORTED");
  if (solution.status === "rejected" && !isOurs) throw solution.reason;
  if (answer.status === "rejected") throw answer.reason;
  if (solution.status === "rejected") throw solution.reason;
  return { response: new Map(Object.entries(solution.value.ExporterResponse)), metadata: answer.value };
}

function endWith(span: OpenSpan, work: Promise<unknown>): void {
  work.then(
    () => span.end(),
    (error: unknown) => span.end(error),
  );
}

/** Keeps of each event what an error will need, and passes it on by this machine's clock. */
function collecting(
  collector: BuildErrorCollector,
  locate: (info: SourceInfo) => SourceInfo,
  sink: EventSink | undefined,
): EventSink {
  // The daemon's clock is not ours; its times are moved so that the first step starts now (FLT-67).
  const display = sink && shiftToLocalClock(sink);
  const collect: EventSink = (event) => {
    if (event.type === "status") {
      collector.add(event);
      for (const warning of event.warnings) if (warning.source) warning.source = locate(warning.source);
    }
    display?.(event);
  };
  collect.ready = () => sink?.ready?.();
  return collect;
}

/** Passes on what a build does, without what was put into its Dockerfile. */
function cleaning(trust: StepTrust | undefined, sink: EventSink): EventSink {
  if (!trust) return sink;
  const clean: EventSink = (event) => {
    if (event.type === "status")
      for (const vertex of event.vertexes) {
        vertex.name = withoutMounts(vertex.name, trust);
        if (vertex.error !== undefined) vertex.error = withoutMounts(vertex.error, trust);
      }
    sink(event);
  };
  clean.ready = () => sink.ready?.();
  return clean;
}

/** Calls back so many milliseconds after a signal's abort, unless disposed of before. */
function afterAbort(signal: AbortSignal, milliseconds: number, then: () => void): Disposable {
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => void (timer = setTimeout(then, milliseconds));
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return {
    [Symbol.dispose]() {
      signal.removeEventListener("abort", onAbort);
      clearTimeout(timer);
    },
  };
}

/** The solve fails as well when the frontend does, and says it better; it gets 5 s for that (BK client/solve.go). */
async function failSlowly(error: unknown, solved: Promise<unknown>): Promise<never> {
  await settleWithin(solved, statusSilenceMilliseconds);
  throw error;
}

async function settleWithin(promise: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([promise.catch(() => {}), passed]);
  clearTimeout(timer);
}
