/** What this needs of a process. */
export interface EndingProcess {
  exitCode?: number | string | null | undefined;
  readonly stdout: { readonly writableLength: number };
  readonly stderr: { readonly writableLength: number };
  exit(): void;
}

/**
 * Ends the process with this exit code, once its outputs are out: on their way through a pipe they may be still, and then it
 * ends by itself. To end it spares Node taking its heap apart (6 ms of 200), and nothing left open can hold it.
 */
export function endProcess(process: EndingProcess, exitCode: number): void {
  process.exitCode = exitCode;
  if (process.stdout.writableLength === 0 && process.stderr.writableLength === 0) process.exit();
}
