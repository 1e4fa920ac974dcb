import type { BuildCallOptions } from "./build.js";
import type { OpenResult, OpenResultOptions } from "./live/open-result.js";

/** Options of {@link openResult}: those of a build without outputs, and how long an unused result is kept. */
export type OpenCallOptions = BuildCallOptions & OpenResultOptions;

/**
 * Builds, and keeps the result in the builder: its files are read, and commands run in it, without anything being loaded, pushed or
 * exported. Close it when done; what is forgotten closes by itself after 10 minutes without use.
 *
 * @throws InvalidArgumentError before anything is dialled; BuildError for a failed step, with its files when `onFailure` is `keep`;
 * AbortedError
 */
export async function openResult(options: OpenCallOptions): Promise<OpenResult> {
  const { openOnce } = await import("./connection.js");
  return openOnce(options);
}
