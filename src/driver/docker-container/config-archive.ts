import type { Readable } from "node:stream";
import { pack } from "tar-stream";
import { DriverError } from "../driver-error.js";

/**
 * The uncompressed tar that carries a builder's config into `/etc`: directories first, sorted, mode 0755, then files,
 * sorted, mode 0644, all owned by root (buildx driver/docker-container/tar.go). It never holds `/etc` itself, and is never
 * compressed: engines have run the container's own decompressor as root (CVE-2026-41567).
 *
 * @param files contents by path relative to `/etc/buildkit`.
 * @throws DriverError `DRIVER_OPTION` for a path that is not plain and relative, or is both a file and a directory.
 */
export function configArchive(files: ReadonlyMap<string, Uint8Array>): Readable {
  const contents = new Map([...files].map(([name, content]) => [`buildkit/${checkPath(name)}`, content]));
  const directories = new Set(["buildkit"]);
  for (const path of contents.keys())
    for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1))
      directories.add(path.slice(0, at));
  const tar = pack();
  const root = { uid: 0, gid: 0, mtime: new Date(0) };
  for (const name of [...directories].sort()) {
    if (contents.has(name))
      throw new DriverError("DRIVER_OPTION", `config file path "${name}" conflicts with directory`);
    tar.entry({ name: `${name}/`, type: "directory", mode: 0o755, ...root });
  }
  for (const [name, content] of [...contents].sort(([a], [b]) => (a < b ? -1 : 1)))
    tar.entry({ name, mode: 0o644, ...root }, Buffer.from(content));
  tar.finalize();
  // streamx streams are iterable as Node's are; the types do not say so.
  return tar as unknown as Readable;
}

function checkPath(path: string): string {
  const elements = path.split("/");
  if (
    /[\\\0]/.test(path) ||
    elements.some((element) => element === "" || element === "." || element === "..")
  )
    throw new DriverError("DRIVER_OPTION", `invalid config file path ${JSON.stringify(path)}`);
  return path;
}
