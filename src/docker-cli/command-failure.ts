/** A command fails with these words, in docker's form, and with this exit code. */
export class CommandFailure extends Error {
  readonly exitCode: number;

  constructor(text: string, { exitCode = 1, cause }: { exitCode?: number; cause?: unknown } = {}) {
    super(text, cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
  }
}

/** Exit code of a command line that docker cannot read, and of a container that could not be run (docker/cli). */
export const usageExitCode = 125;
