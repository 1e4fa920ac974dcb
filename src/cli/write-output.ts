import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { InvalidArgumentError, messageOf } from "../core/index.js";
import type { CliContext } from "./cli-context.js";

/**
 * Writes a stream to a file, which has its name only once it is whole, or to stdout when there is no path.
 *
 * @throws InvalidArgumentError for a file that cannot be made; whatever the stream fails with.
 */
export async function writeOutput(
  source: Readable,
  path: string | undefined,
  { stdout, signal }: Pick<CliContext, "stdout" | "signal">,
): Promise<void> {
  if (!path) return stdout.copy(source, { signal });
  // A pipe or a device takes what comes.
  if (
    await stat(path).then(
      (found) => !found.isFile(),
      () => false,
    )
  )
    return pipeline(source, createWriteStream(path), { signal });
  const temporary = join(dirname(path), `.${basename(path)}.tmp-${randomBytes(6).toString("hex")}`);
  try {
    const file = await open(temporary, "wx", 0o666).catch((error: unknown) => {
      throw new InvalidArgumentError(
        `failed to create output file ${JSON.stringify(path)}: ${messageOf(error)}`,
        { cause: error },
      );
    });
    await pipeline(source, createWriteStream("", { fd: file }), { signal });
    await rename(temporary, path);
  } catch (error) {
    source.destroy();
    await rm(temporary, { force: true });
    throw error;
  }
}
