import { type JsonObject, isJsonObject } from "../../config/index.js";
import { parseJson } from "../../core/index.js";
import { predicateTypes } from "./provenance.js";
import { replayErrors } from "./replay-error.js";

/** An in-toto statement's predicate. */
export interface Statement {
  predicateType: string;
  predicate: unknown;
  /** Digests of what it is about. */
  subjects: readonly string[];
}

/** Something that is signed, to be verified by whoever can. */
export interface SignedStatement {
  /** In which form. */
  envelope: "dsse" | "sigstore-bundle";
  /** The envelope or bundle, byte for byte. */
  bytes: Buffer;
  /** Where it comes from. */
  source: string;
  /** The signed bytes, as they are in the envelope; a statement. */
  payload: Buffer;
  /** Digests that the statement is about. */
  subjects: readonly string[];
}

/** Verifies a signature, with trust that the caller has: gives who signed, or throws. */
export type VerifySignature = (signed: SignedStatement) => Promise<string> | string;

/** A statement, and who signed it if somebody did. */
export interface VerifiedStatement extends Statement {
  signer?: string;
}

/**
 * Reads an in-toto statement, alone, in a DSSE envelope or in a Sigstore bundle, or a bare SLSA predicate (buildx v0.38
 * replay/subject.go). What is signed is verified, or refused.
 *
 * @throws ReplayError `REPLAY_SIGNATURE`, `REPLAY_SUBJECT`
 */
export async function readStatement(
  bytes: Buffer,
  source: string,
  verify: VerifySignature | undefined,
): Promise<VerifiedStatement> {
  const document = parsed(bytes, source);
  const bundle = isBundle(document);
  const envelope = bundle ? document["dsseEnvelope"] : document;
  const payload = isJsonObject(envelope) ? envelope["payload"] : undefined;
  if (bundle && (typeof payload !== "string" || payload === ""))
    throw replayErrors.subject(`sigstore bundle ${source} does not contain a DSSE provenance envelope`);
  if (!isJsonObject(envelope) || typeof payload !== "string" || payload === "")
    return statementOf(document, source);
  const inner = decoded(payload, source);
  const statement = statementOf(parsed(inner, source), source);
  if (!bundle && !isSigned(envelope)) return statement;
  const kind = bundle ? "sigstore-bundle" : "dsse";
  if (!verify) throw replayErrors.signature(source, kind);
  const signer = await verified(verify, {
    envelope: kind,
    bytes,
    source,
    payload: inner,
    subjects: statement.subjects,
  });
  return { ...statement, signer };
}

/** Who signed. @throws ReplayError `REPLAY_SIGNATURE` for what was not verified */
export async function verified(verify: VerifySignature, signed: SignedStatement): Promise<string> {
  try {
    const signer: unknown = await verify(signed);
    if (typeof signer === "string" && signer !== "") return signer;
  } catch (cause) {
    throw replayErrors.signature(signed.source, signed.envelope, { cause });
  }
  throw replayErrors.signature(signed.source, signed.envelope);
}

/** A bundle by its media type or its shape; conservatively, since it must not pass unverified. */
function isBundle(document: JsonObject): boolean {
  const { mediaType } = document;
  if (typeof mediaType === "string" && mediaType.startsWith("application/vnd.dev.sigstore.bundle."))
    return true;
  const has = (key: string) => document[key] !== undefined && document[key] !== null;
  return has("verificationMaterial") && (has("dsseEnvelope") || has("messageSignature"));
}

function isSigned({ signatures }: JsonObject): boolean {
  if (signatures === undefined || signatures === null) return false;
  // What is no list of empty signatures may be a signature in a form of its own.
  if (!Array.isArray(signatures)) return true;
  return signatures.some((entry: unknown) => !isJsonObject(entry) || entry["sig"] !== "");
}

function statementOf(document: JsonObject, source: string): Statement {
  const { _type: type, predicateType = "", predicate } = document;
  if (typeof predicateType !== "string") throw noStatement(source);
  if (predicateType !== "" && !(typeof type === "string" && type.startsWith("https://in-toto.io/Statement/")))
    throw noStatement(source);
  if (predicateType !== "") return { predicateType, predicate, subjects: subjectsOf(document["subject"]) };
  const bare = barePredicateType(document);
  if (bare === undefined) throw replayErrors.subject(`attestation file ${source} has no predicateType`);
  return { predicateType: bare, predicate: document, subjects: [] };
}

/** Provenance without a statement around it, as `imagetools inspect --format '{{json .Provenance.SLSA}}'` prints it. */
function barePredicateType(document: JsonObject): string | undefined {
  if (isJsonObject(document["buildDefinition"])) return predicateTypes.v1;
  const isOld = typeof document["buildType"] === "string" && isJsonObject(document["invocation"]);
  return isOld ? predicateTypes.v02 : undefined;
}

function subjectsOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : []).flatMap((entry: unknown) => {
    const digests = isJsonObject(entry) && isJsonObject(entry["digest"]) ? entry["digest"] : {};
    return Object.entries(digests).map(([algorithm, digest]) => `${algorithm}:${String(digest)}`);
  });
}

/** Base64 of either alphabet. */
function decoded(payload: string, source: string): Buffer {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(payload))
    throw replayErrors.subject(`the payload of ${source} is neither std nor url base64`);
  return Buffer.from(payload.replaceAll("-", "+").replaceAll("_", "/"), "base64");
}

function parsed(bytes: Buffer, source: string): JsonObject {
  let value: unknown;
  try {
    value = parseJson(bytes.toString("utf8"));
  } catch (cause) {
    throw noStatement(source, cause);
  }
  if (!isJsonObject(value)) throw noStatement(source);
  return value;
}

function noStatement(source: string, cause?: unknown) {
  return replayErrors.subject(`${source} is not an in-toto statement, DSSE envelope or Sigstore bundle`, {
    cause,
  });
}
