import type { gateway } from "../../buildkit/index.js";
import { parseJson } from "../../core/index.js";

/** What the builder has found out about an image. */
export interface ImageMetadata {
  /** Of its index or manifest. */
  digest: string;
  /** What the image says of itself (`config`, `created`, `os`, …), as its author wrote it; undefined where that is no JSON. */
  config: unknown;
  /** What its registry has beside it, when that was asked for and the image is an index. */
  attestations?: ImageAttestations;
}

/** Attestations and signatures as a registry has them. Nothing here was verified: whoever pushed the image could have written it. */
export interface ImageAttestations {
  /** Digest of the index. */
  root: string;
  /** Digest of the manifest for the platform. */
  imageManifest: string;
  /** Digest of the manifest of attestations; empty without one. */
  attestationManifest: string;
  /** Digests of manifests of signatures. */
  signatureManifests: string[];
  /** The manifests, signatures and statements, by digest. */
  blobs: ReadonlyMap<string, AttestationBlob>;
}

/** One blob of {@link ImageAttestations}. */
export interface AttestationBlob {
  mediaType: string;
  annotations: Readonly<Record<string, string>>;
  data: Uint8Array;
}

/** What the builder has found out about a repository. */
export interface GitMetadata {
  /** Of what the ref is: a tag's own digest, else the commit. */
  checksum: string;
  /** The commit. */
  commit: string;
  /** The ref in full, e.g. `refs/heads/main`. */
  ref: string;
  /** As git stores them, when `objects` were asked for. */
  commitObject?: Uint8Array;
  tagObject?: Uint8Array;
}

/** What the builder has downloaded. */
export interface HttpMetadata {
  /** `sha256:…` */
  checksum: string;
  filename: string;
  lastModified?: Date;
}

/** Of any kind of source. */
export type SourceMetadata = ImageMetadata | GitMetadata | HttpMetadata;

/** Whether the builder has found anything out, which it does only when asked. */
export function hasMetadata(source: gateway.ResolveSourceMetaResponse | undefined): boolean {
  return source?.Image !== undefined || source?.Git !== undefined || source?.HTTP !== undefined;
}

/** What an answer to a resolve tells. */
export function readMetadata({
  Image,
  Git,
  HTTP,
}: gateway.ResolveSourceMetaResponse): SourceMetadata | undefined {
  if (Image) return imageMetadata(Image);
  if (Git)
    return {
      checksum: Git.Checksum,
      commit: Git.CommitChecksum || Git.Checksum,
      ref: Git.Ref,
      ...(Git.CommitObject.length > 0 && { commitObject: Git.CommitObject }),
      ...(Git.TagObject.length > 0 && { tagObject: Git.TagObject }),
    };
  if (!HTTP) return undefined;
  const { LastModified } = HTTP;
  return {
    checksum: HTTP.Checksum,
    filename: HTTP.Filename,
    ...(LastModified && { lastModified: new Date(Number(LastModified.seconds) * 1000) }),
  };
}

function imageMetadata({
  Digest,
  Config,
  AttestationChain: chain,
}: gateway.ResolveSourceImageResponse): ImageMetadata {
  return {
    digest: Digest,
    config: json(Config),
    ...(chain && {
      attestations: {
        root: chain.Root,
        imageManifest: chain.ImageManifest,
        attestationManifest: chain.AttestationManifest,
        signatureManifests: [...chain.SignatureManifests],
        blobs: new Map(
          Object.entries(chain.Blobs).map(([digest, { descriptor, data }]) => [
            digest,
            {
              mediaType: descriptor?.mediaType ?? "",
              annotations: { ...descriptor?.annotations },
              data,
            },
          ]),
        ),
      },
    }),
  };
}

function json(bytes: Uint8Array): unknown {
  try {
    return parseJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"));
  } catch {
    return undefined;
  }
}
