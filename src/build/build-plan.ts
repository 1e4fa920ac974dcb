import type { BuildOptions } from "./build-options.js";
import type { TreeDigest } from "./input-digest-tree.js";
import type { ExportDestination } from "./outputs.js";
import type { Cache } from "./parse/cache.js";

/** Options of {@link plan}: those of the build, and where digests are remembered. */
export type PlanOptions = BuildOptions & {
  /**
   * Private directory that remembers the digests of files between calls, so that files with the same inode, size, mtime and
   * ctime are not read again. Default `slipway/digests` in the config directory; false reads every file.
   */
  cacheDir?: string | false;
};

/** A directory that the build would send, as the builder would get it. */
export interface PlannedLocal extends TreeDigest {
  /** Absolute path; absent for one from memory. */
  path?: string;
}

/**
 * A build as data: what would be asked of BuildKit. Can be written as JSON; holds no secret: passwords in URLs, and what is named as
 * a password, secret or token, are `*****`.
 */
export interface BuildPlan {
  /**
   * `sha256:…` of everything that decides the result, as far as it is known without asking anybody: equal digests mean equal
   * inputs, on any machine, at any time, in any directory.
   */
  inputDigest: string;
  frontend: string;
  /** Attributes of the frontend, as BuildKit gets them. */
  attrs: Record<string, string>;
  /** Directories by mount name: `context`, `dockerfile`, and those of named contexts. */
  locals: Record<string, PlannedLocal>;
  exports: {
    type: string;
    attrs: Record<string, string>;
    destination: { kind: ExportDestination["kind"]; path?: string };
  }[];
  caches: { imports: Cache[]; exports: Cache[] };
  entitlements: string[];
  /** Ids of secrets and of ssh agents. */
  secrets: string[];
  ssh: string[];
  /** Requested platforms, normalised; none: the builder's own. */
  platforms: string[];
  /** Rules on sources, as JSON. */
  sourcePolicy?: unknown;
  /** What the user should know before the build starts. */
  warnings: string[];
}

/**
 * Tells what a build would ask for and what it depends on, without talking to any daemon. Of a context that BuildKit
 * fetches itself (git, http) only the URL counts, and of a base image only the name: give a commit or a digest where
 * the content matters.
 *
 * @throws InvalidArgumentError as `build()`, and for a context from a tar stream, which can be read only once;
 * WalkError, SyncError for what cannot be read or changes meanwhile; AbortedError.
 */
export async function plan(options: PlanOptions): Promise<BuildPlan> {
  const { planData } = await import("./to-build-plan.js");
  return planData(options);
}
