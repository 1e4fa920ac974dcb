import type { ReplayDifference } from "./difference.js";
import type { ReplayCallOptions } from "./replay-options.js";

/** How a replayed image is compared: by the digest of its manifest, or part by part. */
export type CompareMode = "digest" | "artifact";

/** Options of {@link verifyReplay}. */
export interface VerifyReplayOptions extends ReplayCallOptions {
  /** Default `digest`. */
  compare?: CompareMode;
  /** Runs steps again that the builder has in its cache, which would come out equal by that. Default false. */
  noCache?: boolean;
  /** Directory for the summary (`vsa.intoto.jsonl`) and, of a comparison part by part, the differences (`diff.json`). */
  output?: string;
  /** What becomes of a replay that differs: an error, or a result that says so. Default `error`. */
  mismatch?: "error" | "return";
}

/** What {@link verifyReplay} found. */
export interface VerifyReplayResult {
  matched: boolean;
  /** Of the subject's manifest. */
  subjectDigest: string;
  /** Of the replayed one. */
  replayDigest: string;
  /** Where they differ; empty when they do not, or when only digests were compared. */
  differences: ReplayDifference[];
  /** The Verification Summary Attestation, an in-toto statement as one line of JSON. */
  vsa: string;
}
