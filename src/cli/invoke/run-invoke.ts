import { PassThrough } from "node:stream";
import type { LiveFiles } from "../../build/index.js";
import { AbortedError, isSlipwayError, messageOf } from "../../core/index.js";
import type { CliContext } from "../cli-context.js";
import { warn } from "../warn.js";
import type { InvokeSpec } from "./parse-invoke.js";
import { Terminal, isTerminalGone } from "./terminal.js";

/** A shell of POSIX, as buildx has it. */
const shell = ["/bin/sh"];

/** Exit code of a command that cannot be run, as shells have it. */
const notRun = 126;

/**
 * Runs the command of `--invoke` in a result, or in the step that failed, with the terminal if there is one: its working directory,
 * user and environment, its size, each key as it is pressed.
 *
 * @returns its exit code
 * @throws AbortedError when the command is cancelled: by a signal, or with its terminal
 */
export async function runInvoke(files: LiveFiles, spec: InvokeSpec, context: CliContext): Promise<number> {
  const platform = platformOf(files);
  const own = files.commandOf(platform);
  const argv = spec.command ?? (own.length > 0 ? own : shell);
  const { stdin, stdout, signal } = context;
  const isInteractive = spec.tty && stdin.isTTY === true && stdout.isTerminal;
  const options = {
    stdin,
    env: spec.env,
    signal,
    ...(platform !== undefined && { platform }),
    ...(spec.user !== undefined && { user: spec.user }),
    ...(spec.cwd !== undefined && { cwd: spec.cwd }),
  };
  try {
    if (!isInteractive)
      return await withPlainOutput(context, (outputs) => files.exec(argv, { ...options, ...outputs }));
    using terminal = new Terminal(context);
    const { exitCode } = await files.exec(argv, { ...options, ...terminal.options });
    return exitCode;
  } catch (error) {
    if (isInteractive && isTerminalGone()) throw new AbortedError(error);
    if (!isSlipwayError(error, "RESULT_EXEC")) throw error;
    warn(context, `--invoke: ${messageOf(error)}`);
    return notRun;
  } finally {
    // Reading it would keep the process alive.
    stdin.pause();
  }
}

/** Of several platforms that of this machine, else the first. */
function platformOf({ platforms }: LiveFiles): string | undefined {
  const arch = { x64: "amd64" }[process.arch as string] ?? process.arch;
  return platforms.find((name) => name === `linux/${arch}`) ?? platforms[0];
}

async function withPlainOutput(
  { stdout, stderr, signal }: CliContext,
  run: (outputs: { stdout: PassThrough; stderr: PassThrough }) => Promise<{ exitCode: number }>,
): Promise<number> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const copied = [stdout.copy(out, { signal }), stderr.copy(err, { signal })];
  for (const copy of copied) copy.catch(() => {});
  try {
    const { exitCode } = await run({ stdout: out, stderr: err });
    return exitCode;
  } finally {
    out.end();
    err.end();
    await Promise.allSettled(copied);
  }
}
