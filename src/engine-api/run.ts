import { DeadlineError, abortError, linkSignal, readOptions } from "../core/index.js";
import { EngineError } from "./errors.js";
import type { Execs } from "./execs.js";
import { execKinds } from "./option-kinds.js";
import type { CallOptions } from "./transport.js";

const maxOutputBytes = 16 * 1024 * 1024;

/** Options of {@link runInContainer}. */
export interface RunOptions extends CallOptions {
  /** Limit for the entire run, in milliseconds; 0 is none. Default 30,000. */
  milliseconds?: number;
  user?: string;
  workingDir?: string;
  env?: readonly string[];
  /** Written to the process's stdin, which is then closed. Default: no stdin. */
  stdin?: Uint8Array | string;
}

/** What a process left behind. */
export interface RunResult {
  exitCode: number;
  stdout: Buffer;
  stderr: Buffer;
}

/**
 * Runs a short process in a container to its end. Any exit code is a result, not an error.
 *
 * @throws EngineError `ENGINE_TOO_LARGE` beyond 16 MiB of output; DeadlineError when it takes too long (FLT-17).
 */
export async function runInContainer(
  execs: Execs,
  container: string,
  cmd: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const given = readOptions("run()", options, execKinds.run);
  const { milliseconds = 30_000, stdin, signal: parent, ...rest } = given;
  const what = `${JSON.stringify(cmd.join(" "))} in container ${container}`;
  using linked = linkSignal(parent, { milliseconds, what });
  const { signal } = linked;
  const id = await execs.create(container, { ...rest, cmd, attachStdin: stdin !== undefined, signal });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  let length = 0;
  const count = (data: Buffer) => {
    length += data.length;
    if (length > maxOutputBytes) {
      linked.abort(new EngineError("ENGINE_TOO_LARGE", `${what} wrote more than ${maxOutputBytes} bytes`));
    }
  };
  const stream = await execs.start(id, {
    signal,
    onStderr(data) {
      stderr.push(data);
      count(data);
    },
  });
  const onAbort = () => stream.destroy(reasonOf(signal));
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (stdin !== undefined) stream.end(stdin);
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      stdout.push(chunk);
      count(chunk);
    }
    if (signal.aborted) throw reasonOf(signal);
    if (stream.truncated)
      throw new EngineError("ENGINE_PROTOCOL", `the output of ${what} ended inside a frame`);
    const exitCode = await execs.exitCode(id, { signal });
    if (exitCode === undefined) throw new DeadlineError(what, milliseconds);
    return { exitCode, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) };
  } finally {
    signal.removeEventListener("abort", onAbort);
    stream.destroy();
  }
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof EngineError ? signal.reason : abortError(signal);
}
