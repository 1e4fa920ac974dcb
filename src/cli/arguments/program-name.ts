/** How the program is called by whoever runs it; in usage lines and hints. */
export interface ProgramName {
  /** First word: `slipway`, or `docker` for a plug-in. */
  binary: string;
  /** What stands before a command: `slipway`, or `docker buildx`. */
  path: string;
}

/** Called by its own name. */
export const ownName: ProgramName = { binary: "slipway", path: "slipway" };
