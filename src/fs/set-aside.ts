/** Options of {@link setAside}. */
export interface SetAsideOptions {
  /** Entries that stay, at most. */
  most: number;
  /** What the names of entries begin with; other names are left alone, as are those that begin with a dot. */
  prefix?: string;
  /** True for entries that must not go now, however old they are. */
  isInUse?: ((name: string) => boolean) | undefined;
}

const removedPrefix = ".removing-";

/**
 * Takes from a directory the entries that were not changed for longest, so that `most` stay, and gives the paths to delete:
 * each was renamed first, so that no one finds one half deleted, and those that an interrupted deletion left come along.
 * Other processes may do the same meanwhile. Blocking, as it is also called where a program exits.
 *
 * @throws NodeJS.ErrnoException when the directory cannot be read.
 */
export function setAside(directory: string, options: SetAsideOptions): string[] {
  const { most, prefix = "", isInUse } = options;
  // Loaded here: this function is part of what starts the command, which loads as little as it can.
  const fs = process.getBuiltinModule("node:fs");
  const path = process.getBuiltinModule("node:path");
  const names = fs.readdirSync(directory);
  const paths = names
    .filter((name) => name.startsWith(removedPrefix))
    .map((name) => path.join(directory, name));
  const entries = names
    .filter((name) => name.startsWith(prefix) && !name.startsWith("."))
    .map((name) => ({
      name,
      time: fs.statSync(path.join(directory, name), { throwIfNoEntry: false })?.mtimeMs,
    }))
    .filter(({ time }) => time !== undefined)
    .sort((a, b) => (b.time ?? 0) - (a.time ?? 0));
  for (const { name } of entries.slice(most)) {
    if (isInUse?.(name)) continue;
    const aside = path.join(directory, `${removedPrefix}${process.pid}-${Date.now()}-${name}`);
    try {
      fs.renameSync(path.join(directory, name), aside);
      paths.push(aside);
    } catch {
      // Another process was faster.
    }
  }
  return paths;
}
