import type { Writable } from "node:stream";

/** Takes a result that is one stream of bytes, e.g. a tar. */
export interface StreamTarget {
  type: "stream";
  /**
   * Opens the place for the bytes, when the first are about to come. The stream is ended when all are there and
   * destroyed with an error when they will not come; "finish" must mean that the result is in place.
   *
   * @param metadata what the daemon says about the result, e.g. `containerimage.digest`, by lower-case key
   * @returns undefined when the result is not wanted, e.g. since it is there already: the daemon then sends nothing and
   * takes it for done
   */
  open(metadata: ReadonlyMap<string, string>, signal: AbortSignal): Promise<Writable | undefined>;
}

/** Takes a result that is a tree of files. */
export interface DirectoryTarget {
  type: "directory";
  /** Made with mode 0700 when it is not there. */
  path: string;
  /** `copy` (default) adds to the directory and overwrites; `delete` also removes what the result does not have. */
  mode?: "copy" | "delete";
}

/** Where an export goes. */
export type ExportTarget = StreamTarget | DirectoryTarget;
