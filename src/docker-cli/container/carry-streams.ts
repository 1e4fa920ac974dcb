import { pipeline } from "node:stream/promises";
import type { ExecStream } from "../../engine-api/index.js";
import type { DockerContext } from "../docker-context.js";

/** Tells a process's terminal how large it is. */
export type Resize = (size: { rows: number; columns: number }) => Promise<void>;

/** Options of {@link carryStreams}. */
export interface CarryOptions {
  /** Hand standard input on to the process. */
  stdin: boolean;
  /** The process has a terminal, which this command's terminal becomes. */
  tty: boolean;
  resize: Resize;
}

/**
 * Hands a process's streams on: standard input to it, its output to standard output, until its output ends. What is carried is
 * payload, byte by byte.
 *
 * @returns when the output has ended
 */
export async function carryStreams(
  stream: ExecStream,
  { stdin, stdout, signal }: DockerContext,
  options: CarryOptions,
): Promise<void> {
  const isTerminal = options.tty && stdout.isTerminal;
  const endTerminal = isTerminal ? await useTerminal(stdin, stdout.stream, options) : undefined;
  if (options.stdin) {
    stdin.on("error", () => stream.end());
    stdin.pipe(stream);
  }
  try {
    await pipeline(stream, stdout.stream, { end: false, signal });
  } finally {
    endTerminal?.();
    if (options.stdin) {
      // What is still coming in has nowhere to go, and would keep the process.
      stdin.unpipe(stream);
      stdin.destroy();
    }
    stream.destroy();
  }
}

/** Each key goes to the process as it is, and the size of the terminal with every change of it. */
async function useTerminal(
  stdin: DockerContext["stdin"] & { setRawMode?: (isRaw: boolean) => void },
  terminal: NodeJS.WritableStream & { rows?: number; columns?: number },
  { stdin: isRead, resize }: CarryOptions,
): Promise<() => void> {
  const tell = async () => {
    const { rows = 24, columns = 80 } = terminal;
    // A process that has ended has no terminal any more.
    await resize({ rows, columns }).catch(() => {});
  };
  const onResize = () => void tell();
  const isRaw = isRead && stdin.isTTY === true;
  if (isRaw) stdin.setRawMode?.(true);
  terminal.on("resize", onResize);
  await tell();
  return () => {
    terminal.removeListener("resize", onResize);
    if (isRaw) stdin.setRawMode?.(false);
  };
}
