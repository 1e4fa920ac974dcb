import type { BuildOptions, ConnectTarget } from "../../build/index.js";
import type { VerifySignature } from "./statement.js";

/**
 * How sources are resolved: `materials` pins each to the digest that was recorded, and fails on one that was not recorded or has changed;
 * `frontend` resolves them anew.
 */
export type ReplayMode = "materials" | "frontend";

/** What a replayed build is given again, as it is not in the provenance. */
export interface ReplayInputs {
  /** The secrets that the provenance names, by id; others are refused. */
  secrets?: BuildOptions["secrets"];
  /** The ssh agents that the provenance names; others are refused. */
  ssh?: readonly string[];
  /** Directories of a build that recorded its inputs, by name: `context`, `dockerfile`, and named contexts. */
  contexts?: Readonly<Record<string, string | undefined>>;
}

/** Options of everything that reads a subject. */
export interface SubjectCallOptions {
  /** Which platform of a multi-platform subject; default its only one, or the builder's own. */
  platform?: string;
  /**
   * Verifies what is signed: gives who signed, or throws. Without it a signed envelope or bundle is refused, never taken unverified;
   * provenance that nobody signed is taken.
   */
  verifySignature?: VerifySignature;
  /** Told why credentials could not be had, and the like. */
  onWarning?: (text: string) => unknown;
}

/** Options of all replays. */
export interface ReplayCallOptions extends ConnectTarget, SubjectCallOptions, ReplayInputs {
  /** Network of RUN steps; default as it was recorded. */
  network?: "default" | "none";
  /**
   * Where materials come from: `provenance` (from where they were recorded; the default), `oci-layout://PATH[:TAG]` for a snapshot or a
   * layout, an absolute path of a directory with blobs, or `KEY=STORE` with a URI or digest for one of them. Without `provenance` among
   * them nothing is fetched from elsewhere.
   */
  materials?: readonly string[];
}

/** Options of {@link replay}. */
export interface ReplayOptions extends ReplayCallOptions {
  /** Default `materials`. */
  mode?: ReplayMode;
  outputs?: BuildOptions["outputs"];
  tags?: readonly string[];
  load?: boolean;
  push?: boolean;
}

/** Options of {@link describeProvenance}. */
export interface DescribeProvenanceOptions extends SubjectCallOptions {
  /** Builder whose settings for registries are used; default the current one. */
  builder?: string;
  env?: ConnectTarget["env"];
  signal?: AbortSignal;
}
