import { SlipwayError, type SlipwayErrorOptions } from "../../core/index.js";
import type { ReplayDifference } from "./difference.js";

/** Codes of {@link ReplayError}s. */
export type ReplayErrorCode =
  | "REPLAY_LOCAL_CONTEXT"
  | "REPLAY_CONTEXT_CHANGED"
  | "REPLAY_MISSING_SECRET"
  | "REPLAY_EXTRA_SECRET"
  | "REPLAY_MISSING_SSH"
  | "REPLAY_EXTRA_SSH"
  | "REPLAY_MATERIAL_NOT_FOUND"
  | "REPLAY_MISMATCH"
  | "REPLAY_UNSUPPORTED"
  | "REPLAY_NO_PROVENANCE"
  | "REPLAY_PREDICATE"
  | "REPLAY_SIGNATURE"
  | "REPLAY_MIN_PROVENANCE"
  | "REPLAY_UNPINNED_CONTEXT"
  | "REPLAY_SUBJECT";

/** What a {@link ReplayError} may tell besides its code. */
export interface ReplayErrorFields {
  /** The secrets, ssh agents or local contexts it is about, sorted. */
  names?: readonly string[];
  /** The material or context it is about. */
  uri?: string;
  /** Digest of the material that was not found, or that was expected. */
  digest?: string;
  /** The first file of a local context that is not as it was recorded. */
  file?: string;
  /** Where the replayed result differs from the subject; empty when only digests were compared. */
  differences?: readonly ReplayDifference[];
}

/** A build cannot be replayed, or its replay gave something else. What it is about is in the fields that go with the code. */
export class ReplayError extends SlipwayError {
  declare readonly code: ReplayErrorCode;
  declare readonly names?: readonly string[];
  declare readonly uri?: string;
  declare readonly digest?: string;
  declare readonly file?: string;
  declare readonly differences?: readonly ReplayDifference[];

  constructor(
    code: ReplayErrorCode,
    message: string,
    { cause, ...fields }: SlipwayErrorOptions & ReplayErrorFields = {},
  ) {
    super(code, message, { cause });
    Object.assign(this, fields);
  }
}

/** In the words of buildx v0.38 replay/errors.go, which scripts may look for. */
export const replayErrors = {
  localContext: (names: readonly string[]): ReplayError => {
    const sorted = [...names].sort();
    return new ReplayError(
      "REPLAY_LOCAL_CONTEXT",
      `image was built from local inputs that replay cannot fetch (${sorted.join(", ")}); only builds from a Git repository ` +
        "or HTTP(S) URL context can be replayed, and those whose local inputs were recorded (--record-inputs), with --context NAME=DIR",
      { names: sorted },
    );
  },
  missingSecret: (ids: readonly string[]): ReplayError => {
    return new ReplayError(
      "REPLAY_MISSING_SECRET",
      `missing required secrets: ${ids.join(", ")} (pass them with --secret id=<id>,src=<path>)`,
      { names: ids },
    );
  },
  extraSecret: (ids: readonly string[]): ReplayError => {
    return new ReplayError(
      "REPLAY_EXTRA_SECRET",
      `extra secrets not declared in provenance: ${ids.join(", ")}`,
      { names: ids },
    );
  },
  missingSsh: (ids: readonly string[]): ReplayError => {
    return new ReplayError(
      "REPLAY_MISSING_SSH",
      `missing required ssh entries: ${ids.join(", ")} (pass them with --ssh <id>=<socket|key>)`,
      { names: ids },
    );
  },
  extraSsh: (ids: readonly string[]): ReplayError => {
    return new ReplayError(
      "REPLAY_EXTRA_SSH",
      `extra ssh entries not declared in provenance: ${ids.join(", ")}`,
      { names: ids },
    );
  },
  materialNotFound: (uri: string, digest: string): ReplayError => {
    return new ReplayError(
      "REPLAY_MATERIAL_NOT_FOUND",
      `material not found: uri=${JSON.stringify(uri)} digest=${JSON.stringify(digest)}`,
      { uri, digest },
    );
  },
  unsupported: (what: string, options?: SlipwayErrorOptions): ReplayError => {
    return new ReplayError("REPLAY_UNSUPPORTED", `not implemented: ${what}`, options);
  },
  unsupportedSubject: (what: string): ReplayError => {
    return new ReplayError("REPLAY_UNSUPPORTED", `unsupported subject: ${what}`);
  },
  noProvenance: (subject: string, { isManifest = false } = {}): ReplayError => {
    const hint = "build the image with --provenance=mode=max to make it replayable";
    const whole =
      "if this is a platform manifest of a multi-platform image, use the image index reference instead; otherwise ";
    return new ReplayError(
      "REPLAY_NO_PROVENANCE",
      `no SLSA provenance attestation found for ${subject}; ${isManifest ? whole : ""}${hint}`,
    );
  },
  predicate: (predicateType: string): ReplayError => {
    return new ReplayError(
      "REPLAY_PREDICATE",
      `unsupported predicate type ${JSON.stringify(predicateType)}; replay requires SLSA provenance (v0.2 or v1)`,
    );
  },
  signature: (source: string, envelope: string, options?: SlipwayErrorOptions): ReplayError => {
    return new ReplayError(
      "REPLAY_SIGNATURE",
      `${envelope} for ${source} carries signatures but cannot be verified from the available trust material; ` +
        "refusing to accept unverified signed attestation",
      options,
    );
  },
  minProvenance: (): ReplayError => {
    return new ReplayError(
      "REPLAY_MIN_PROVENANCE",
      "provenance was recorded with mode=min, which omits build arguments, secrets and SSH needed for replay; " +
        "build the image with --provenance=mode=max to make it replayable",
    );
  },
  unpinnedContext: (uri: string): ReplayError => {
    return new ReplayError(
      "REPLAY_UNPINNED_CONTEXT",
      `cannot pin the Git build context ${uri}: provenance from BuildKit before v0.25 does not record a digest for ` +
        "subdirectory contexts; use --replay-mode=frontend to replay without pinning sources",
      { uri },
    );
  },
  subject: (message: string, options?: SlipwayErrorOptions): ReplayError => {
    return new ReplayError("REPLAY_SUBJECT", message, options);
  },
};
