import { InvalidArgumentError } from "../../core/index.js";
import {
  type MemoryEntry,
  type TreeSource,
  diskSource,
  linkClosure,
  memorySource,
  restrictedSource,
  toBytes,
} from "../../fs/index.js";
import { type OpenFileAt, type RacePolicy, diskFiles, memoryFiles } from "./file-reader.js";

/** A directory that builders may read, on disk or in memory. */
export type SyncedDir =
  | {
      type: "directory";
      path: string;
      /**
       * Serves these names only, and inside the directory what their symbolic links lead to, whatever the builder asks
       * for (the Dockerfile's directory). Nothing else is even listed.
       */
      only?: readonly string[];
    }
  | {
      type: "memory";
      /** By `/`-separated path; directories are implied. */
      entries: ReadonlyMap<string, MemoryEntry>;
    };

/** A tree to walk and the way to its files' data. */
export interface OpenedDir {
  tree: TreeSource;
  openFile: OpenFileAt;
  /** Lets go of what is held for both. Idempotent. */
  close(): void;
}

/**
 * Makes a directory ready to be sent. A tree in memory is put together once, by the first call.
 * @throws InvalidArgumentError when it is not there or cannot be used.
 */
export function dirOpener(dir: SyncedDir): (race: RacePolicy) => Promise<OpenedDir> {
  if (dir.type === "memory") {
    let built: ReturnType<typeof memorySource> | undefined;
    return async () => {
      const tree = await (built ??= memorySource(dir.entries));
      return { tree, openFile: memoryFiles(tree), close: () => {} };
    };
  }
  const { path, only } = dir;
  if (path.includes("\0")) throw new InvalidArgumentError("a directory's path contains a NUL byte");
  return (race) => {
    const source = diskSource(path);
    const openFile = diskFiles(source, race);
    const close = () => source.close();
    if (!only) return Promise.resolve({ tree: source, openFile, close });
    try {
      const visible = linkClosure(source, only.map(toBytes), { wildcards: false });
      return Promise.resolve({ tree: restrictedSource(source, [...visible]), openFile, close });
    } catch (error) {
      close();
      throw error;
    }
  };
}
