import { PassThrough } from "node:stream";
import type { LiveFiles, TerminalSize } from "../../build/index.js";
import { AbortedError, isSlipwayError, messageOf } from "../../core/index.js";
import type { CliContext } from "../cli-context.js";
import { warn } from "../warn.js";
import type { InvokeSpec } from "./parse-invoke.js";

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
    // A terminal that is closed may break the streams before a signal tells of it.
    if (isInteractive && (stdin.errored ?? stdout.stream.errored)) throw new AbortedError(error);
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
  const outputs = { stdout: new PassThrough(), stderr: new PassThrough() };
  const copied = [stdout.copy(outputs.stdout, { signal }), stderr.copy(outputs.stderr, { signal })];
  for (const copy of copied) copy.catch(() => {});
  try {
    const { exitCode } = await run(outputs);
    return exitCode;
  } finally {
    outputs.stdout.end();
    outputs.stderr.end();
    await Promise.allSettled(copied);
  }
}

/** The terminal while a command has it: keys come as they are pressed, Ctrl-C too, and its size is passed on. */
class Terminal implements Disposable {
  readonly #context: CliContext;
  readonly #sizes = new Sizes();
  readonly #onResize = () => this.#sizes.push(this.#size());

  constructor(context: CliContext) {
    this.#context = context;
    this.#setRaw(true);
    context.stdout.stream.on("resize", this.#onResize);
  }

  get options() {
    // Without cleaning: whoever asks for a shell on the terminal gives it to the shell.
    return { stdout: this.#context.stdout.stream, tty: this.#size(), resizes: this.#sizes };
  }

  [Symbol.dispose](): void {
    this.#context.stdout.stream.removeListener("resize", this.#onResize);
    this.#sizes.end();
    this.#setRaw(false);
  }

  #size(): TerminalSize {
    const { columns = 80, rows = 24 } = this.#context.stdout.stream;
    return { columns, rows };
  }

  #setRaw(isRaw: boolean): void {
    const stdin = this.#context.stdin as { setRawMode?: (mode: boolean) => unknown };
    try {
      stdin.setRawMode?.(isRaw);
    } catch {
      // The terminal is gone, which a signal tells of.
    }
  }
}

/** Sizes as they come, to the end. */
class Sizes implements AsyncIterable<TerminalSize> {
  readonly #waiting: TerminalSize[] = [];
  #wake: () => void = () => {};
  #hasEnded = false;

  push(size: TerminalSize): void {
    this.#waiting.push(size);
    this.#wake();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TerminalSize, void> {
    while (!this.#hasEnded) {
      const next = this.#waiting.shift();
      if (next) yield next;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
