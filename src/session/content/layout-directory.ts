import { mkdirSync } from "node:fs";
import { type OpenDirectory, closeDirectory, entryPath, openChild, openRoot } from "../../fs/index.js";
import { SessionError } from "../session-error.js";

const attempts = 8;

/** A directory of a layout that is not its own: a link, which could lead anywhere, or no directory at all. */
export class ForeignDirectoryError extends SessionError {
  constructor(path: string) {
    super(
      "SESSION_CONTENT_IO",
      `${path} is a link or no directory; a layout's own directories are not looked for elsewhere`,
    );
  }
}

/**
 * Opens a directory of a layout, such as `blobs`, `sha256`, and holds it open: work goes on in that very directory,
 * whatever takes its name meanwhile. Below the root that the user named no link is followed. To be closed.
 *
 * @throws ForeignDirectoryError; NodeJS.ErrnoException ENOENT
 */
export function openLayoutDirectory(root: string, ...names: readonly string[]): OpenDirectory {
  return walkDown(root, names, () => {});
}

/** As {@link openLayoutDirectory}; what is missing below the root is made. */
export function makeLayoutDirectory(root: string, ...names: readonly string[]): OpenDirectory {
  for (let attempt = 1; ; attempt++) {
    try {
      return walkDown(root, names, makeIfMissing);
    } catch (error) {
      // Another process may remove a directory that is empty just when it was to be used.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || attempt === attempts) throw error;
    }
  }
}

function makeIfMissing(path: Buffer): void {
  try {
    mkdirSync(path, { mode: 0o755 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** The path of an entry of a directory that is held. */
export function inDirectory(directory: OpenDirectory, name: string): Buffer {
  return entryPath(directory.prefix, Buffer.from(name));
}

function walkDown(root: string, names: readonly string[], prepare: (path: Buffer) => void): OpenDirectory {
  let at = openRoot(root);
  for (const [index, name] of names.entries()) {
    try {
      prepare(inDirectory(at, name));
      const child = openChild(at, Buffer.from(name));
      if (!child) throw new ForeignDirectoryError([root, ...names.slice(0, index + 1)].join("/"));
      closeDirectory(at);
      at = child;
    } catch (error) {
      closeDirectory(at);
      throw error;
    }
  }
  return at;
}
