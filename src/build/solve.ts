import { create } from "@bufbuild/protobuf";
import {
  type BuildkitClient,
  BuildkitError,
  control,
  gateway,
  rpc,
  toStatusUpdate,
} from "../buildkit/index.js";
import {
  type EventSink,
  Redactor,
  type SourceInfo,
  abortError,
  isSlipwayError,
  linkSignal,
  messageOf,
  statusEvent,
  untilAborted,
} from "../core/index.js";
import { shiftToLocalClock } from "../progress/index.js";
import { type Attachable, Session } from "../session/index.js";
import { BuildErrorCollector, sourceWithPath } from "./build-error.js";
import type { SolvePlan } from "./plan.js";
import { StatusBudget } from "./status-budget.js";

/** A build's gateway, through which its frontend is driven. */
export type Gateway = ReturnType<BuildkitClient["gateway"]>;

/** Asks for what is to be built, and gives the result to export; undefined for none. */
export type AskGateway = (
  bridge: Gateway,
  options: { signal: AbortSignal },
) => Promise<gateway.Result | undefined>;

/** After the solve is done, how long the status stream may stay silent before it is given up (BK client/solve.go), in ms. */
const statusSilenceMilliseconds = 5_000;

/** How long a cancelled build may take to tell its end, in ms: with what follows it is over within 5 s (FLT-30). */
const tearDownMilliseconds = 2_500;

/** gRPC's code for an error that has none. */
const unknownCode = 2;

/** What a solve gave. */
export interface SolveOutcome {
  /** Digests and names of what was exported (BK exporter response). */
  response: ReadonlyMap<string, string>;
  /** Metadata of the frontend's result, e.g. the answer to a call. */
  metadata: ReadonlyMap<string, Uint8Array>;
}

/** What of a plan the solve itself goes by. */
export type SolveSpec = Pick<
  SolvePlan,
  "ref" | "frontend" | "attrs" | "exports" | "caches" | "entitlements" | "sourcePolicy" | "policySession"
> & {
  inputs: Pick<SolvePlan["inputs"], "sharedKey" | "dockerfilePath"> &
    Partial<Pick<SolvePlan["inputs"], "locals">>;
  call?: SolvePlan["call"];
  /** A build on the way to another, of which the builder's history is to know nothing. */
  internal?: boolean;
};

/** What {@link solve} works with. */
export interface SolveOptions {
  client: BuildkitClient;
  plan: SolveSpec;
  /** Drives the build; by default the plan's frontend does. */
  ask?: AskGateway;
  attachables: readonly Attachable[];
  sink?: EventSink | undefined;
  signal?: AbortSignal | undefined;
  /** Knows the secrets of this build. */
  redactor?: Redactor;
  /** Metadata of the calls, by which the build belongs to the caller's trace. */
  headers?: Record<string, string>;
  /** Is told when the builder has taken the session; until then it knows nothing of the build. */
  onSession?: (() => void) | undefined;
}

/**
 * Runs one build: opens a session, asks for the solve with an empty frontend, drives the frontend through the gateway,
 * and passes the status stream on until it ends (BK client/solve.go, client/build.go). All calls go out at once; the
 * daemon holds gateway calls up to 3 s for their solve to be known (BK util/registrar).
 *
 * @throws BuildError for a failed step; AbortedError after the daemon has been told and has answered, or 2.5 s.
 */
export async function solve({
  client,
  plan,
  ask = askFrontend(plan),
  attachables,
  sink,
  signal,
  redactor = new Redactor(),
  headers = {},
  onSession,
}: SolveOptions): Promise<SolveOutcome> {
  const locate = (info: SourceInfo) => sourceWithPath(info, plan);
  const collector = new BuildErrorCollector(redactor, locate);
  using calls = linkSignal(signal);
  using asking = linkSignal(calls.signal);
  using watching = linkSignal(undefined);
  const session = await Session.open(client, {
    attachables: [...attachables],
    sharedKey: plan.inputs.sharedKey,
    signal: calls.signal,
  });
  onSession?.();
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
  const watched = watchStatus(client, plan.ref, watching.signal, collect, (error) => calls.abort(error));
  // Whatever is waited for below ends so, also a display that takes nothing.
  let patience: NodeJS.Timeout | undefined;
  const onAbort = () => {
    patience = setTimeout(
      () => watching.abort("the daemon does not tell the build's end"),
      tearDownMilliseconds,
    );
  };
  if (calls.signal.aborted) onAbort();
  else calls.signal.addEventListener("abort", onAbort, { once: true });
  try {
    const solved = client.control.solve(solveRequest(plan, session.id), {
      signal: calls.signal,
      headers,
    });
    const asked = driveBuild(client.gateway(plan.ref, headers), ask, asking.signal);
    let isAnswered = false;
    asked.then(
      () => (isAnswered = true),
      () => (isAnswered = true),
    );
    solved.catch(() => {
      // What is refused from the start never gets a gateway, for which the daemon would have calls wait.
      if (!isAnswered) watched.refused();
      asking.abort("the solve has failed");
    });
    // A dead session does not end the solve by itself: the daemon may wait for it for ever.
    void session.closed.then((reason) => {
      if (reason) calls.abort(reason);
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
    return {
      response: new Map(Object.entries(solution.value.ExporterResponse)),
      metadata: answer.value,
    };
  } catch (error) {
    if (calls.signal.aborted) {
      await watched.ended;
    } else await watched.finish();
    if (signal?.aborted) throw abortError(signal);
    if (calls.signal.aborted) throw calls.signal.reason;
    throw collector.explain(error);
  } finally {
    await session.close();
    await watched.finish();
    watching.abort("the build has ended");
    calls.signal.removeEventListener("abort", onAbort);
    clearTimeout(patience);
  }
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

function solveRequest(plan: SolveSpec, session: string): control.SolveRequest {
  const [first] = plan.exports;
  return create(control.SolveRequestSchema, {
    Ref: plan.ref,
    Session: session,
    // Older daemons know one exporter only, in the first fields.
    ExporterDeprecated: first?.type ?? "",
    ExporterAttrsDeprecated: first?.attrs ?? {},
    Exporters: plan.exports.map(({ type, attrs }) => ({ Type: type, Attrs: attrs })),
    FrontendAttrs: { ...plan.attrs },
    Cache: {
      Exports: plan.caches.exports.map(cacheEntry),
      Imports: plan.caches.imports.map(cacheEntry),
    },
    Entitlements: [...plan.entitlements],
    Internal: plan.internal ?? plan.call !== undefined,
    ...(plan.sourcePolicy && { SourcePolicy: plan.sourcePolicy }),
    ...(plan.policySession && { SourcePolicySession: session }),
  });
}

function cacheEntry({ type, attrs }: { type: string; attrs: Readonly<Record<string, string>> }) {
  return { Type: type, Attrs: { ...attrs } };
}

/** Lets the plan's frontend build. */
function askFrontend(plan: SolveSpec): AskGateway {
  return async (bridge, options) => {
    const request = {
      Frontend: plan.frontend,
      FrontendOpt: { ...plan.attrs },
      CacheImports: plan.caches.imports.map(cacheEntry),
      allowResultReturn: true,
      allowResultArrayRef: true,
    };
    return (await bridge.solve(request, options)).result;
  };
}

/** Builds through the gateway and returns the result to the solve, which exports it. */
async function driveBuild(
  bridge: Gateway,
  ask: AskGateway,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Uint8Array>> {
  let result: gateway.Result | undefined;
  try {
    result = await ask(bridge, { signal });
  } catch (error) {
    // The solve waits for a result; told of the failure it ends with the same typed error.
    const status =
      error instanceof BuildkitError
        ? error.code === "BUILDKIT_STATUS" && error.status
        : create(rpc.StatusSchema, { code: unknownCode, message: messageOf(error) });
    if (status) await bridge.return({ error: status }, { signal }).catch(() => {});
    throw error;
  }
  await bridge.return({ result: result ?? create(gateway.ResultSchema) }, { signal });
  return new Map(Object.entries(result?.metadata ?? {}));
}

/**
 * Passes the status stream on; `finish` resolves when it has ended or fallen silent. Of a build that was `refused` before
 * its frontend had begun the daemon has nothing to say, and keeps the stream open for seconds to find that out.
 */
function watchStatus(
  client: BuildkitClient,
  ref: string,
  signal: AbortSignal,
  sink: EventSink,
  onExceeded: (error: Error) => void,
) {
  const budget = new StatusBudget();
  let touch = () => {};
  let pause = () => {};
  let isHeard = false;
  const silence = linkSignal(signal);
  const ended = (async () => {
    try {
      for await (const response of client.control.status({ Ref: ref }, { signal: silence.signal })) {
        isHeard = true;
        touch();
        const update = toStatusUpdate(response);
        budget.take(update);
        sink(statusEvent(update));
        // A display that is behind stops this stream only; uploads, health and exports go on (FLT-39).
        const room = sink.ready?.();
        if (!room) continue;
        pause();
        await untilAborted(silence.signal, room);
        touch();
      }
    } catch (error) {
      if (isSlipwayError(error, "BUILD_TOO_LARGE") || isSlipwayError(error, "BUILDKIT_LIMIT"))
        onExceeded(error);
      // The solve's own error says more than that of its status stream (FLT-22).
      if (!silence.signal.aborted) return error;
    } finally {
      const { droppedWarnings } = budget;
      if (droppedWarnings > 0)
        sink({
          type: "message",
          level: "warning",
          text: `${droppedWarnings} more warnings of the builder are not kept`,
        });
    }
    return undefined;
  })();
  return {
    ended,
    refused() {
      if (isHeard) return;
      // However slow the link is: what the daemon has said by now is here before the answer to another call. Not
      // client.info(), which asks once only.
      void client.control
        .info({}, { signal: silence.signal })
        .catch(() => {}) // a dead connection ends the stream as well
        .then(() => {
          if (!isHeard) silence.abort("the build was refused");
        });
    },
    async finish() {
      let timer: NodeJS.Timeout | undefined;
      touch = () => {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort("the status stream is silent"), statusSilenceMilliseconds);
      };
      // It is the display that is slow then, not the daemon.
      pause = () => clearTimeout(timer);
      touch();
      await ended;
      clearTimeout(timer);
      silence[Symbol.dispose]();
    },
  };
}
