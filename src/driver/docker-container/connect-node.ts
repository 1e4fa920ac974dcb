import { BuildkitClient, BuildkitError, localWindows, remoteWindows } from "../../buildkit/index.js";
import {
  type Dial,
  type EventSink,
  isSlipwayError,
  messageOf,
  sleep,
  withDeadline,
} from "../../core/index.js";
import { type ContainerInspect, EngineError, execDial } from "../../engine-api/index.js";
import { DriverError } from "../driver-error.js";
import { containerName } from "./container-spec.js";
import { type LogStart, logTail, withLogs } from "./log-tail.js";
import { type ContainerContext, inspectNode } from "./container-context.js";
import { dialSocket, findSocket } from "./socket-transport.js";

/** One try to get an answer from buildkitd, in ms. */
const attemptMilliseconds = 10_000;

/** While a daemon boots its socket is the thing to wait for; exec is tried only every so often, in ms. */
const execPauseMilliseconds = 1_000;

/** After so many ms without an answer the display says what is waited for. */
const silenceMilliseconds = 5_000;

/** How often a container may be restarted while it is waited for: a daemon that was just killed comes back, a broken one ends again. */
const mostRestarts = 1;

/** A connection, and since when the container runs that it leads to, in the engine's words. */
export interface NodeConnection {
  client: BuildkitClient;
  /** Makes another one by the same way. */
  dial: Dial;
  startedAt: string;
}

/** What {@link connectNode} takes besides the node. */
interface ConnectNodeOptions {
  signal?: AbortSignal | undefined;
  /** Is told what is waited for, when that takes long. */
  sink?: EventSink | undefined;
  /** The daemon may have been started just now. */
  booting: boolean;
  /** The running container, if it has been looked at just now. */
  found?: ContainerInspect;
}

/**
 * Opens a connection to the buildkitd in a running container, and waits until it answers. Ends early when the container
 * stops running or keeps being restarted, with its last log lines (FLT-16), and at once when the daemon's answer makes no sense.
 *
 * @throws DriverError `DRIVER_BOOT` when it stopped, did not answer in time or not as a buildkitd does; `DRIVER_CONNECT` when `connect=socket` was
 * asked for and there is no way to the socket.
 */
export async function connectNode(
  node: ContainerContext,
  options: ConnectNodeOptions,
): Promise<NodeConnection> {
  let reason = "";
  const notice = setTimeout(() => {
    const text = `waiting for builder container ${containerName(node.nodeName)} to answer${reason}`;
    options.sink?.({ type: "message", level: "warning", text });
  }, silenceMilliseconds);
  try {
    return await untilConnected(node, options, (error) => (reason = `: ${messageOf(error)}`));
  } finally {
    clearTimeout(notice);
  }
}

async function untilConnected(
  node: ContainerContext,
  { signal, booting, found }: ConnectNodeOptions,
  onFailure: (error: unknown) => void,
): Promise<NodeConnection> {
  const name = containerName(node.nodeName);
  const deadline = Date.now() + node.bootMilliseconds;
  let nextExec = booting ? Date.now() + execPauseMilliseconds : 0;
  let lastError: unknown;
  let firstRestart = found?.RestartCount;
  let missing = 0;
  let next = found;
  const localTime = Date.now();
  for (let pause = 20; ; pause = Math.min(pause * 1.5, 400)) {
    const container =
      next ??
      (await requireRunning(node, signal, (restarts) => {
        firstRestart ??= restarts;
        return restarts - firstRestart <= mostRestarts && Date.now() <= deadline;
      }));
    next = undefined;
    if (container.State.Restarting) {
      await sleep(pause, signal);
      continue;
    }
    const { StartedAt: startedAt } = container.State;
    const socket = node.connect === "exec" ? undefined : findSocket(container);
    if (socket !== undefined) {
      const dial = dialSocket(socket);
      const outcome = await attempt(dial, localWindows, signal);
      if (outcome.client) return { client: outcome.client, dial, startedAt };
      onFailure((lastError = outcome.error));
    }
    if (node.connect === "socket" && (socket === undefined || isForbidden(lastError)))
      throw new DriverError(
        "DRIVER_CONNECT",
        `the socket of builder container ${name} cannot be reached from here (connect=socket); use connect=auto`,
        { cause: lastError },
      );
    if (node.connect !== "socket" && (socket === undefined || Date.now() >= nextExec)) {
      const windows = node.engine.isLocalSocket ? localWindows : remoteWindows;
      const dial = execDial(node.engine, container.Id, ["buildctl", "dial-stdio"]);
      const outcome = await attempt(dial, windows, signal);
      if (outcome.client) return { client: outcome.client, dial, startedAt };
      onFailure((lastError = outcome.error));
      nextExec = Date.now() + execPauseMilliseconds;
    }
    // An image without buildctl will not grow one by waiting (FLT-13); in a container that ends meanwhile none can be run once.
    if (isMissingProgram(lastError)) missing++;
    if (missing > 1 || isNonsense(lastError) || Date.now() > deadline)
      throw await bootError(
        node,
        `builder container ${name} does not answer: ${messageOf(lastError)}`,
        booting ? { engineTime: startedAt } : { localTime },
        { signal, cause: lastError },
      );
    await sleep(pause, signal);
  }
}

/** There was an answer, to a call or to HTTP/2 itself, that no buildkitd gives: another try would get the same. */
function isNonsense(error: unknown): boolean {
  return (
    isSlipwayError(error, "HTTP2_PROTOCOL") ||
    (error instanceof BuildkitError && error.code === "BUILDKIT_PROTOCOL") ||
    (isSlipwayError(error, "BUILDKIT_CONNECTION_LOST") && isNonsense(error.cause))
  );
}

/** The socket is there, and is another user's. */
function isForbidden(error: unknown): boolean {
  const cause = error instanceof DriverError ? error.cause : undefined;
  const { code } = (cause ?? {}) as NodeJS.ErrnoException;
  return code === "EACCES" || code === "EPERM";
}

/** 126 and 127 are a shell's and runc's codes for a program that cannot be run, or is not there. */
function isMissingProgram(error: unknown): boolean {
  return error instanceof EngineError && (error.exitCode === 126 || error.exitCode === 127);
}

/**
 * @param mayRestart whether a container that is being restarted may be; it gets how often the engine has done so.
 * @throws DriverError `DRIVER_BOOT` when the container is gone or does not run.
 */
async function requireRunning(
  node: ContainerContext,
  signal: AbortSignal | undefined,
  mayRestart: (restarts: number) => boolean,
): Promise<ContainerInspect> {
  const name = containerName(node.nodeName);
  const container = await inspectNode(node, signal);
  if (!container)
    throw new DriverError("DRIVER_BOOT", `builder container ${name} was removed while it was starting`);
  const { State: state } = container;
  const goesOn = mayRestart(container.RestartCount ?? 0);
  if (state.Running && !state.Paused && (!state.Restarting || goesOn)) return container;
  const what = state.Paused
    ? "is paused"
    : state.OOMKilled
      ? "was killed for lack of memory"
      : `exited with code ${state.ExitCode}${state.Error ? ` (${state.Error})` : ""}`;
  const text = `builder container ${name} ${what}`;
  if (state.Paused) throw new DriverError("DRIVER_BOOT", text);
  throw await bootError(node, text, { engineTime: state.StartedAt }, { signal });
}

async function bootError(
  node: ContainerContext,
  summary: string,
  start: LogStart,
  { signal, cause }: { signal: AbortSignal | undefined; cause?: unknown },
): Promise<DriverError> {
  const logs = await logTail(node, start, signal);
  return new DriverError("DRIVER_BOOT", withLogs(summary, logs), { summary, cause });
}

type Attempt = { client: BuildkitClient; error?: undefined } | { client?: undefined; error: unknown };

async function attempt(
  dial: Dial,
  windows: typeof localWindows,
  signal: AbortSignal | undefined,
): Promise<Attempt> {
  let client: BuildkitClient | undefined;
  try {
    client = await withDeadline(signal, attemptMilliseconds, "connecting to buildkitd", (within) =>
      BuildkitClient.connect(dial, { windows, signal: within }),
    );
    const connected = client;
    await withDeadline(signal, attemptMilliseconds, "the first answer of buildkitd", (within) =>
      connected.info({ signal: within }),
    );
    return { client };
  } catch (error) {
    await client?.close();
    if (signal?.aborted) throw error;
    return { error };
  }
}
