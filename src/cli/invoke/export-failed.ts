import type { LiveFiles } from "../../build/index.js";
import { InvalidArgumentError, isSlipwayError, messageOf } from "../../core/index.js";
import { statOutput, systemReason } from "../../fs/index.js";
import type { CliContext } from "../cli-context.js";
import { warn } from "../warn.js";

/** A path to take out of the step that failed, and where it goes. */
export interface FailedExport {
  path: string;
  dest: string;
}

/**
 * Reads a value of `--export-failed`, `PATH=DEST`, and looks whether something can be written there, before anything is built.
 *
 * @throws InvalidArgumentError that names the flag
 */
export async function prepareFailedExport(text: string): Promise<FailedExport> {
  const at = text.indexOf("=");
  const [path, dest] = [text.slice(0, at), text.slice(at + 1)];
  if (at <= 0 || dest === "")
    throw new InvalidArgumentError(
      `invalid value ${JSON.stringify(text)} for --export-failed, expected PATH=DEST: a path in the step and one here`,
    );
  const found = await statOutput(dest).catch((error: unknown) => {
    throw new InvalidArgumentError(`--export-failed cannot write to ${dest}: ${systemReason(error)}`, {
      cause: error,
    });
  });
  if (found && !found.isDirectory() && !found.isFile())
    throw new InvalidArgumentError(
      `--export-failed cannot write to ${dest}: it is neither a file nor a directory`,
    );
  return { path, dest };
}

/** Takes the paths out of the step that failed; what cannot be had is told, and does not hide why the build failed. */
export async function exportFailed(
  files: LiveFiles | undefined,
  exports: readonly FailedExport[],
  context: CliContext,
): Promise<void> {
  const { signal, stderr } = context;
  if (!files) {
    if (exports.length > 0)
      warn(context, "--export-failed: nothing was kept: only a RUN step that fails leaves files");
    return;
  }
  for (const { path, dest } of exports)
    try {
      const count = await files.copyOut(path, dest, { signal });
      stderr.text(
        `Wrote ${path} of the failed step to ${dest} (${count} ${count === 1 ? "file" : "files"})\n`,
      );
    } catch (error) {
      if (isSlipwayError(error, "ABORTED")) throw error;
      warn(context, `--export-failed: ${messageOf(error)}`);
    }
}
