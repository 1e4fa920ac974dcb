import type { Writable } from "node:stream";

/** The exit code that stands for death by SIGPIPE (FLT-38). */
export const brokenPipeCode = 128 + 13;

/** Notes whether somebody still reads an output. */
export interface OutputWatch {
  /** The reader has gone: `slipway build -o - . | head`. */
  readonly broken: boolean;
}

/** Watches an output, so that a reader that goes away does not end the process with a stack trace. */
export function watchOutput(stream: Writable): OutputWatch {
  let broken = false;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") broken = true;
  });
  return {
    get broken() {
      return broken;
    },
  };
}
