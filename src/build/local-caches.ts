import { stat } from "node:fs/promises";
import { InvalidArgumentError, messageOf } from "../core/index.js";
import { statOutput, systemReason } from "../fs/index.js";
import { ContentStore, findDescriptor } from "../session/index.js";
import type { Cache } from "./parse/cache.js";

/**
 * Finds a local cache to import: its digest by the tag in the directory's index, if it was not given. A cache that is not
 * there is a warning, since the first build has none (BK client/solve.go parseCaches).
 *
 * @throws InvalidArgumentError without `src`.
 */
export async function localImport(cache: Cache): Promise<{ cache: Cache } | { warning: string }> {
  const { src, tag = "latest" } = cache.attrs;
  if (!src) throw new InvalidArgumentError("local cache importer requires src");
  const missing = (why: string) => ({ warning: `local cache import at ${src} not found due to err: ${why}` });
  try {
    await stat(src);
    const digest = cache.attrs["digest"] ?? (await findDescriptor(src, tag))?.digest;
    if (digest === undefined) return missing(`no manifest with the tag ${tag} in index.json`);
    await new ContentStore(src).info(digest);
    return { cache: { type: "local", attrs: { ...cache.attrs, digest } } };
  } catch (error) {
    return missing(messageOf(error));
  }
}

/** @throws InvalidArgumentError without `dest`, or when it is no directory. */
export async function checkLocalExport({ attrs }: Cache): Promise<void> {
  const { dest } = attrs;
  if (!dest) throw new InvalidArgumentError("local cache exporter requires dest");
  const entry = await statOutput(dest).catch((error: unknown) => {
    throw new InvalidArgumentError(`local cache destination ${dest} cannot be used: ${systemReason(error)}`, {
      cause: error,
    });
  });
  if (entry && !entry.isDirectory())
    throw new InvalidArgumentError(`local cache destination ${dest} is not a directory`);
}
