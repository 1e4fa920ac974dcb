import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { goJson } from "../../config/index.js";
import { FileWriteError, type ResultFile, makeDirectory, prepareResultFile } from "../../fs/index.js";
import type { CompareReport } from "./compare-report.js";
import type { ReplayTarget } from "./replay-target.js";
import type { CompareMode } from "./verify-options.js";

/** SLSA's type of a summary (https://slsa.dev/spec/v1.0/verification_summary). */
const summaryType = "https://slsa.dev/verification_summary/v1";

/** What a summary is of. */
export interface Verification {
  compare: CompareMode;
  replayDigest: string;
  matched: boolean;
}

/** A Verification Summary Attestation as one line of JSON, laid out as buildx's (replay/verify.go buildVSA). */
export function summary({ subject }: ReplayTarget, { compare, replayDigest, matched }: Verification): string {
  const { input, descriptor, attestation } = subject;
  const name = input || descriptor.digest;
  return JSON.stringify({
    _type: "https://in-toto.io/Statement/v1",
    predicateType: summaryType,
    subject: [{ name, digest: digestSet(descriptor.digest) }],
    predicate: {
      verifier: { id: "https://www.npmjs.com/package/slipway" },
      timeVerified: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
      resourceUri: name,
      policy: { uri: "" },
      verificationResult: matched ? "PASSED" : "FAILED",
      verifiedLevels: [],
      dependencyLevels: {},
      inputAttestations: [{ uri: name, digest: digestSet(attestation?.digest) }],
      // What a summary has no place for.
      slipway: {
        replayMode: "materials",
        compareMode: compare,
        replayDigest,
        subjectDigest: descriptor.digest,
      },
    },
  });
}

function digestSet(digest = ""): Record<string, string> {
  const at = digest.indexOf(":");
  return at < 0 ? {} : { [digest.slice(0, at)]: digest.slice(at + 1) };
}

/** Files of a verification that are yet to be written. */
export interface VerificationFiles {
  write(vsa: string, report: CompareReport | undefined): Promise<void>;
}

/**
 * Finds out that the files of a verification can be written, before the work begins. A link in the place of one is refused: it is not what
 * somebody named, but what lies in a directory that they named.
 *
 * @throws FileWriteError
 */
export async function prepareVerificationFiles(
  directory: string,
  compare: CompareMode,
  signal: AbortSignal | undefined,
): Promise<VerificationFiles> {
  await makeDirectory(directory, 0o755);
  const vsaFile = await prepared(join(directory, "vsa.intoto.jsonl"));
  const reportFile = compare === "artifact" ? await prepared(join(directory, "diff.json")) : undefined;
  return {
    async write(vsa, report) {
      await vsaFile.write(`${vsa}\n`, signal);
      if (report) await reportFile?.write(goJson(report), signal);
    },
  };
}

async function prepared(path: string): Promise<ResultFile> {
  const entry = await lstat(path).catch(() => undefined);
  if (entry && !entry.isFile())
    throw new FileWriteError(
      path,
      entry.isSymbolicLink() ? "it is a symbolic link" : "it is no regular file",
    );
  return prepareResultFile(path, "verification result");
}
