import { readBounded } from "../../fs/index.js";
import { isProvenanceType } from "./provenance.js";
import { replayErrors } from "./replay-error.js";
import { type VerifiedStatement, type VerifySignature, readStatement } from "./statement.js";

/** No statement is larger than this, in bytes: steps of a build at their longest. */
export const largestStatement = 32 << 20;

/**
 * The provenance in a file: a statement, or lines of them, of which all are read before the first is taken, so that one that is signed
 * and cannot be verified is never passed over.
 *
 * @throws ReplayError; FileReadError for a file that cannot be read or is larger than any statement
 */
export async function readStatementFile(
  path: string,
  { verify, signal }: { verify: VerifySignature | undefined; signal: AbortSignal | undefined },
): Promise<VerifiedStatement> {
  const content = await readBounded(path, { limit: largestStatement, special: "pipe", signal });
  const text = content.toString("utf8").trim();
  if (text === "") throw replayErrors.subject(`attestation file ${path} is empty`);
  if (!path.endsWith(".intoto.jsonl")) return await readStatement(Buffer.from(text), path, verify);
  let provenance: VerifiedStatement | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const where = `${path} line ${index + 1}`;
    const statement = await readStatement(Buffer.from(line.trim()), where, verify);
    if (!provenance && isProvenanceType(statement.predicateType)) provenance = statement;
  }
  if (!provenance) throw replayErrors.subject(`no SLSA provenance statement found in ${path}`);
  return provenance;
}
