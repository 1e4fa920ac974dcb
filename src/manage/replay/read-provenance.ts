import { type Descriptor, RegistryError, isManifestType, parseManifest } from "../../registry/index.js";
import { collectBlob } from "../image-tools/image-store.js";
import type { ImageLocation } from "../image-tools/image-location.js";
import type { ImageStores } from "../image-tools/open-stores.js";
import { type Provenance, isProvenanceType, parseProvenance } from "./provenance.js";
import { replayErrors } from "./replay-error.js";
import { largestStatement } from "./statement-file.js";
import { type VerifiedStatement, type VerifySignature, readStatement, verified } from "./statement.js";
import type { Subject } from "./subject.js";

/** A subject's provenance, and who signed it if somebody did. */
export interface FoundProvenance {
  provenance: Provenance;
  signer?: string;
}

interface Reading {
  stores: ImageStores;
  verify: VerifySignature | undefined;
  signal: AbortSignal | undefined;
}

/** @throws ReplayError; RegistryError for what cannot be read */
export async function readSubjectProvenance(subject: Subject, reading: Reading): Promise<FoundProvenance> {
  const { statement = await attestedStatement(subject, reading), input } = subject;
  if (!statement) throw replayErrors.noProvenance(input, subject);
  const { predicate, predicateType } = statement;
  const provenance = parseProvenance(predicate, predicateType);
  const { signer } = statement;
  return { provenance, ...(signer !== undefined && { signer }) };
}

async function attestedStatement(
  { input, location, attestation, descriptor }: Subject,
  reading: Reading,
): Promise<VerifiedStatement | undefined> {
  if (!location || !attestation) return undefined;
  const store = reading.stores.of(location);
  const options = { signal: reading.signal };
  if (!isManifestType(attestation.mediaType))
    throw replayErrors.subject(`the attestations ${attestation.digest} of ${input} are no manifest`);
  const { content } = await store.readManifest(location, attestation.digest, options);
  const manifest = parseManifest(content, attestation.mediaType, attestation.digest);
  const layer = manifest.kind === "manifest" ? manifest.layers.find(isProvenanceLayer) : undefined;
  if (!layer) return undefined;
  if (layer.size > largestStatement)
    throw new RegistryError(
      "REGISTRY_PROTOCOL",
      `the provenance ${layer.digest} of ${input} is longer than ${largestStatement} bytes`,
    );
  const bytes = await collectBlob(store.readBlob(location, layer, options));
  const statement = await readStatement(bytes, `${input} (${layer.digest})`, reading.verify);
  requireSubject(statement, descriptor, input);
  const signer = statement.signer ?? (await signerOf(attestation, { input, location, statement }, reading));
  return { ...statement, ...(signer !== undefined && { signer }) };
}

function isProvenanceLayer({ annotations }: Descriptor): boolean {
  return isProvenanceType(annotations?.["in-toto.io/predicate-type"] ?? "");
}

/** A statement about something else is no provenance of this image, whatever lists it. */
function requireSubject({ subjects }: VerifiedStatement, { digest }: Descriptor, input: string): void {
  if (subjects.length > 0 && !subjects.includes(digest))
    throw replayErrors.subject(
      `the provenance of ${input} is about ${subjects.slice(0, 3).join(", ")}, not about ${digest}`,
    );
}

/** Sigstore's signatures of a manifest, which refer to it. */
const signatureTypes = /^application\/vnd\.dev\.(sigstore\.bundle\.|cosign\.artifact\.sig\.)/;

/** Who signed the attestations; undefined when nobody did. @throws ReplayError for a signature that is not verified */
async function signerOf(
  attestation: Descriptor,
  about: { input: string; location: ImageLocation; statement: VerifiedStatement },
  { stores, verify, signal }: Reading,
): Promise<string | undefined> {
  const { input, location, statement } = about;
  const store = stores.of(location);
  const found = await store.referrers(location, attestation.digest, { signal });
  const signature = found.find(({ artifactType }) => signatureTypes.test(artifactType ?? ""));
  if (!signature) return undefined;
  const source = `${input} (${signature.digest})`;
  if (!verify) throw replayErrors.signature(source, "sigstore-bundle");
  const { content } = await store.readManifest(location, signature.digest, { signal });
  const manifest = parseManifest(content, undefined, signature.digest);
  const [layer] = manifest.kind === "manifest" ? manifest.layers : [];
  if (!layer || layer.size > largestStatement) throw replayErrors.signature(source, "sigstore-bundle");
  const bytes = await collectBlob(store.readBlob(location, layer, { signal }));
  const payload = Buffer.from(JSON.stringify(statement.predicate));
  return verified(verify, {
    envelope: "sigstore-bundle",
    bytes,
    source,
    payload,
    subjects: [attestation.digest],
  });
}
