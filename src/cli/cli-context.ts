import type { Readable } from "node:stream";
import type { Environment } from "../config/index.js";
import type { OutputStream, Printer } from "./printer.js";

/** What the program gets of its process. */
export interface CliProcess extends Omit<CliContext, "stdout" | "stderr" | "isPlugin"> {
  stdout: OutputStream;
  stderr: OutputStream;
}

/** What a command sees of its process. */
export interface CliContext {
  env: Environment;
  stdin: Readable & { isTTY?: boolean };
  stdout: Printer;
  stderr: Printer;
  /** Aborts on the first SIGINT, SIGTERM or SIGHUP. */
  signal: AbortSignal;
  /** Base name of the file that was run: `docker-buildx` makes the program a plug-in of docker's. */
  invokedAs?: string;
  /** Docker runs it as its plug-in. */
  isPlugin?: boolean;
}

/** Flags that every command takes. */
export interface GlobalFlags {
  /** Builder to use instead of the current one. */
  builder?: string;
  debug?: boolean;
}

/** A command ends with this exit code, having said all there is to say. */
export class ExitCode extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    // A process ends with the lowest 8 bits: 256 would be a success.
    this.exitCode = Number.isInteger(exitCode) && exitCode >= 0 && exitCode <= 255 ? exitCode : 1;
  }
}

/** Marks its cause as what made a build fail, for how it is told. */
export class FailedBuild extends Error {
  constructor(cause: unknown) {
    super("failed to build", { cause });
  }
}
