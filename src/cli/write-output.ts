import type { Readable } from "node:stream";
import { prepareResultFile } from "../fs/index.js";
import type { CliContext } from "./cli-context.js";

/** Where a command's stream goes. */
export type OutputWriter = (source: Readable) => Promise<void>;

/**
 * Prepares to write a stream to a file, which has its name only once it is whole, or to stdout when there is no path.
 *
 * @throws FileWriteError for a file that cannot be written.
 */
export async function prepareOutput(
  path: string | undefined,
  { stdout, signal }: Pick<CliContext, "stdout" | "signal">,
): Promise<OutputWriter> {
  if (!path) return (source) => stdout.copy(source, { signal });
  const file = await prepareResultFile(path, "output file");
  return async (source) => {
    try {
      await file.write(source, signal);
    } finally {
      source.destroy();
    }
  };
}
