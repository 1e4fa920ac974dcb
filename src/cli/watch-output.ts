import type { Writable } from "node:stream";

/** The exit code that stands for death by SIGPIPE (FLT-38). */
export const brokenPipeCode = 128 + 13;

/** Notes whether somebody still reads an output. */
export interface OutputWatch {
  /** The reader has gone: `slipway build -o - . | head`. */
  readonly broken: boolean;
  /** Why something that was written is lost otherwise, as on a full disk. */
  readonly failure: Error | undefined;
}

/** Watches an output, so that a reader that goes away does not end the process with a stack trace. */
export function watchOutput(stream: Writable): OutputWatch {
  let told: NodeJS.ErrnoException | undefined;
  stream.on("error", (error) => (told ??= error));
  // Files are written at once, and their errors told a turn later. Node's own standard output forgets its error when it has told it.
  const errored = (): NodeJS.ErrnoException | null => told ?? stream.errored;
  return {
    get broken() {
      return errored()?.code === "EPIPE";
    },
    get failure() {
      return this.broken ? undefined : (errored() ?? undefined);
    },
  };
}
