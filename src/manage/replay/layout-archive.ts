import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Pack, pack } from "tar-stream";
import { orAborted } from "../../core/index.js";
import { openOutputFile } from "../../fs/index.js";

/** Writes an OCI layout as a tar archive: to a file, which is there whole or not, or a stream. */
export async function packLayout(
  directory: string,
  target: string | Writable,
  signal: AbortSignal | undefined,
): Promise<void> {
  const writable = typeof target === "string" ? await openOutputFile(target, { signal }) : target;
  const archive = pack();
  const writing = pipeline(archive, writable, { ...(signal && { signal }) });
  // Waited for below, also when the packing fails.
  writing.catch(() => {});
  try {
    for (const name of await filesBelow(directory)) await addFile(archive, directory, name);
    archive.finalize();
  } catch (error) {
    archive.destroy(error as Error);
    throw error;
  }
  await orAborted(signal, writing);
}

async function addFile(archive: Pack, directory: string, name: string): Promise<void> {
  const path = join(directory, name);
  const { size } = await stat(path);
  // The same snapshot is the same archive, whenever it was made.
  const entry = archive.entry({ name, size, mode: 0o644, mtime: new Date(0) });
  await pipeline(createReadStream(path), entry);
}

/** Paths with slashes, sorted. */
async function filesBelow(directory: string, at = ""): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(directory, at), { withFileTypes: true })) {
    const path = at === "" ? entry.name : `${at}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await filesBelow(directory, path)));
    else if (entry.isFile()) found.push(path);
  }
  return found.sort();
}
