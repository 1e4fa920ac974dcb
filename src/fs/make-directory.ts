import { mkdirSync, statSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes a directory with those above it that are missing. Not Node's own way (`recursive`), which loops for ever where
 * mkdir(2) answers ENOENT below a directory that is there: /proc, some network file systems.
 *
 * @returns the topmost directory that was made; undefined when all were there
 * @throws NodeJS.ErrnoException that names the directory which cannot be made
 */
export async function makeDirectory(path: string, mode: number): Promise<string | undefined> {
  const way = new WayDown(path);
  for (let next = way.next(); next !== undefined; next = way.next()) {
    try {
      await mkdir(next, { mode });
      way.made(next);
    } catch (error) {
      if (await isDirectory(next)) continue;
      way.failed(next, error, await isThere(dirname(next)));
    }
  }
  return way.first;
}

/** {@link makeDirectory} in one step. */
export function makeDirectorySync(path: string, mode: number): string | undefined {
  const way = new WayDown(path);
  for (let next = way.next(); next !== undefined; next = way.next()) {
    try {
      mkdirSync(next, { mode });
      way.made(next);
    } catch (error) {
      if (statSync(next, { throwIfNoEntry: false })?.isDirectory()) continue;
      way.failed(next, error, statSync(dirname(next), { throwIfNoEntry: false }) !== undefined);
    }
  }
  return way.first;
}

/** What is still to be made, the next one last. */
class WayDown {
  /** The topmost directory that was made. */
  first: string | undefined;
  readonly #left: string[];
  readonly #triedAgain = new Set<string>();

  constructor(path: string) {
    this.#left = [path];
  }

  next(): string | undefined {
    return this.#left.pop();
  }

  made(path: string): void {
    this.first ??= path;
  }

  /** Goes on with the parent when that is missing. @throws the error when it is not the reason */
  failed(path: string, error: unknown, hasParent: boolean): void {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || parent === path) throw error;
    // Somebody may have made it between the two questions: one more try.
    if (hasParent && this.#triedAgain.has(path)) throw error;
    if (hasParent) this.#triedAgain.add(path);
    this.#left.push(path, ...(hasParent ? [] : [parent]));
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
