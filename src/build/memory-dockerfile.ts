import { posix } from "node:path";
import { InvalidArgumentError } from "../core/index.js";
import {
  type MemoryEntry,
  goModeOf,
  isDirectory,
  memorySource,
  resolveInside,
  toBytes,
} from "../fs/index.js";

/** The Dockerfile of a context in memory, and what belongs to it. */
export interface MemoryDockerfile {
  /** Its name in the mount. */
  name: string;
  /** By name. */
  entries: ReadonlyMap<string, MemoryEntry>;
}

/**
 * Finds a Dockerfile in a context in memory as it would be found in a directory: `./` and `..` in its path, links along it,
 * which stay inside the context, and `dockerfile` where there is no `Dockerfile`.
 *
 * @param namesOf what belongs to a Dockerfile of a name.
 * @throws InvalidArgumentError for one that is not there.
 */
export async function findMemoryDockerfile(
  entries: ReadonlyMap<string, MemoryEntry>,
  file: string,
  namesOf: (name: string) => readonly string[],
): Promise<MemoryDockerfile> {
  // Without what is in the files: that may be a function, which is called when it is sent.
  const shapes = [...entries].map(([path, { symlink }]): [string, MemoryEntry] => [
    path,
    symlink === undefined ? {} : { symlink },
  ]);
  const tree = await memorySource(new Map(shapes));
  const byPath = new Map([...entries].map(([path, entry]) => [toBytes(path), entry]));
  const find = (path: string) => resolveInside(tree, toBytes(path));
  const path = posix.normalize(file);
  const directory = find(posix.dirname(path))?.path ?? "";
  const names = directory === "" ? [] : tree.list(directory === "." ? "" : directory);
  const given = posix.basename(path);
  const name =
    given === "Dockerfile" && !names.includes(given) && names.includes("dockerfile") ? "dockerfile" : given;
  const inDirectory = (one: string) => posix.join(posix.dirname(path), one);
  const found = find(inDirectory(name));
  if (found && isDirectory(goModeOf(Number(found.stat.mode))))
    throw new InvalidArgumentError(`failed to read dockerfile: ${JSON.stringify(file)} is a directory`);
  if (!found || path.startsWith("../")) throw missing(file, entries.get(inDirectory(name)));
  const mounted = new Map<string, MemoryEntry>();
  for (const one of namesOf(name)) {
    const entry = byPath.get(find(inDirectory(one))?.path ?? "");
    if (entry) mounted.set(one, entry);
  }
  return { name, entries: mounted };
}

function missing(file: string, entry: MemoryEntry | undefined): InvalidArgumentError {
  const link = entry?.symlink === undefined ? "" : `: it is a link to ${JSON.stringify(entry.symlink)}`;
  return new InvalidArgumentError(
    `failed to read dockerfile: no file ${JSON.stringify(file)} in the context${link}`,
  );
}
