import { basename, dirname } from "node:path";
import { CommandFailure } from "../command-failure.js";

/** What is copied. */
export interface CopySource {
  /** As it was given: `/.` at its end means what is in the directory. */
  path: string;
  isDirectory: boolean;
}

/** Where it is to go. */
export interface CopyPlace {
  path: string;
  kind: "directory" | "file" | "nothing";
}

/** Where an archive is to be unpacked. */
export interface CopyPlan {
  directory: string;
  /** Another name for what is copied. */
  rename: string | undefined;
  /** What is in the directory is copied, without itself. */
  isContent: boolean;
}

/**
 * Where a copy goes, by cp's rules: into a directory, in a file's place, or under a new name (docker `cp`, moby pkg/archive
 * PrepareArchiveCopy).
 *
 * @throws CommandFailure for what cannot be put there.
 */
export function planCopy(source: CopySource, place: CopyPlace): CopyPlan {
  const isContent = source.path.endsWith("/.") || source.path === ".";
  const parent = dirname(place.path);
  const name = basename(place.path);
  if (place.kind === "directory") return { directory: place.path, rename: undefined, isContent };
  if (place.kind === "file") {
    if (source.isDirectory) throw new CommandFailure("cannot copy directory");
    return { directory: parent, rename: name, isContent: false };
  }
  if (!source.isDirectory && /\/\.?$/.test(place.path)) throw new CommandFailure("no such directory");
  return { directory: parent, rename: name, isContent: false };
}
