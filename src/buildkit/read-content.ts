import { createHash } from "node:crypto";
import { InvalidArgumentError, SlipwayError, readOptions } from "../core/index.js";
import type { BuildkitClient } from "./client.js";
import { readContentKinds } from "./option-kinds.js";

/** Options of {@link readContent} and {@link streamContent}. */
export interface ReadContentOptions {
  /** Largest blob taken, in bytes. */
  limit?: number;
  signal?: AbortSignal | undefined;
}

/** Codes of {@link ContentError}. */
export type ContentErrorCode = "CONTENT_DIGEST" | "CONTENT_TOO_LARGE" | "CONTENT_GAP";

/** A blob of the daemon's store is not what it should be: `CONTENT_DIGEST`, `CONTENT_TOO_LARGE`, `CONTENT_GAP`. */
export class ContentError extends SlipwayError {
  declare readonly code: ContentErrorCode;
  readonly digest: string;

  constructor(code: ContentErrorCode, digest: string, message: string) {
    super(code, message);
    this.digest = digest;
  }
}

/** What reads of the store need of a client. */
export type ContentReader = Pick<BuildkitClient, "content">;

const defaultLimit = 16 * 1024 * 1024;

/**
 * Reads a small blob (manifest, config, log, error) from the daemon's content store and checks its digest. `limit` is
 * 16 MiB when not given.
 *
 * @throws BuildkitError NotFound (5) when the daemon does not have it; {@link ContentError} when it is not what it claims.
 */
export async function readContent(
  client: ContentReader,
  digest: string,
  options: ReadContentOptions = {},
): Promise<Buffer> {
  const { limit = defaultLimit, signal } = readOptions("readContent()", options, readContentKinds);
  const chunks: Uint8Array[] = [];
  for await (const chunk of streamContent(client, digest, { limit, signal })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * Reads a blob of any size. The digest is checked when the last byte has come: iteration then throws instead of ending,
 * so nothing that was read may be used before the end. Without `limit` there is none.
 */
export async function* streamContent(
  client: ContentReader,
  digest: string,
  options: ReadContentOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { limit = Infinity, signal } = readOptions("streamContent()", options, readContentKinds);
  const hash = hashFor(digest);
  let offset = 0;
  const messages = client.content.read({ digest }, { ...(signal && { signal }) });
  for await (const { data, offset: at } of messages) {
    if (Number(at) !== offset) {
      throw new ContentError("CONTENT_GAP", digest, `buildkitd sent ${digest} with a gap at byte ${offset}`);
    }
    offset += data.length;
    if (offset > limit) {
      throw new ContentError("CONTENT_TOO_LARGE", digest, `${digest} is larger than ${limit} bytes`);
    }
    hash.update(data);
    if (data.length > 0) yield data;
  }
  const found = hash.digest("hex");
  if (found !== digest.slice(digest.indexOf(":") + 1)) {
    throw new ContentError(
      "CONTENT_DIGEST",
      digest,
      `buildkitd sent ${offset} bytes for ${digest} that do not match it`,
    );
  }
}

const hexLengths: Partial<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

function hashFor(digest: string): ReturnType<typeof createHash> {
  const match = /^(sha256|sha384|sha512):([0-9a-f]+)$/.exec(digest);
  const algorithm = match?.[1];
  if (algorithm === undefined || match?.[2]?.length !== hexLengths[algorithm]) {
    throw new InvalidArgumentError(`not a digest: ${JSON.stringify(digest)}`);
  }
  return createHash(algorithm);
}
