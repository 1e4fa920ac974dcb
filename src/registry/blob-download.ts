import { messageOf, throwIfAborted } from "../core/index.js";
import type { Descriptor } from "./descriptor.js";
import { DigestVerifier } from "./digest.js";
import type { Endpoint } from "./endpoint.js";
import { type Exchange, listOf, refusal } from "./exchange.js";
import { RegistryError } from "./registry-error.js";
import { repositoryScope } from "./scopes.js";

/** What {@link readBlobStream} reads and from where. */
export interface BlobReadOptions {
  exchange: Exchange;
  endpoint: Endpoint;
  repository: { domain: string; path: string };
  blob: Descriptor;
  signal?: AbortSignal | undefined;
}

/** How often a download is taken up again without a byte in between. */
const maxResumes = 3;

/**
 * The bytes of a blob from one endpoint. A connection that breaks is taken up where it broke.
 *
 * @throws RegistryError `REGISTRY_DIGEST` at the end when the bytes are not those of the descriptor.
 */
export async function* readBlobStream(options: BlobReadOptions): AsyncGenerator<Buffer> {
  const { blob, endpoint, signal } = options;
  const verifier = new DigestVerifier(blob.digest);
  let offset = 0;
  let failures = 0;
  for (;;) {
    try {
      for await (const chunk of await open(options, offset)) {
        offset += chunk.length;
        failures = 0;
        if (offset > blob.size) break;
        verifier.update(chunk);
        yield chunk;
      }
      break;
    } catch (error) {
      throwIfAborted(signal);
      if (error instanceof RegistryError || ++failures > maxResumes) {
        throw error instanceof RegistryError ? error : broken(options, offset, error);
      }
    }
  }
  if (offset !== blob.size || !verifier.matches()) {
    const size = offset > blob.size ? "more" : offset;
    throw new RegistryError(
      "REGISTRY_DIGEST",
      `${endpoint.host} sent wrong content for ${blob.digest} (${size} of ${blob.size} bytes)`,
      { host: endpoint.host },
    );
  }
}

async function open(
  { exchange, endpoint, repository, blob, signal }: BlobReadOptions,
  offset: number,
): Promise<AsyncIterable<Buffer>> {
  const response = await exchange.send(endpoint, {
    method: "GET",
    path: `${repository.path}/blobs/${blob.digest}`,
    headers: offset > 0 ? { range: `bytes=${offset}-` } : {},
    scopes: [repositoryScope(repository.path)],
    signal,
  });
  if (response.statusCode === 200) return skip(response.body, offset);
  const range = listOf(response.headers["content-range"])[0];
  if (response.statusCode === 206 && range?.startsWith(`bytes ${offset}-`)) return response.body;
  throw await refusal(endpoint, response, `${repository.domain}/${repository.path}@${blob.digest}`);
}

/** Drops what is known already, for registries that ignore ranges. */
async function* skip(body: AsyncIterable<Buffer>, count: number): AsyncGenerator<Buffer> {
  let left = count;
  for await (const chunk of body) {
    if (chunk.length > left) yield left > 0 ? chunk.subarray(left) : chunk;
    left = Math.max(0, left - chunk.length);
  }
}

function broken({ endpoint, blob }: BlobReadOptions, offset: number, cause: unknown): RegistryError {
  return new RegistryError(
    "REGISTRY_CONNECT",
    `reading ${blob.digest} from ${endpoint.host} broke after ${offset} of ${blob.size} bytes: ${messageOf(cause)}`,
    { host: endpoint.host, cause },
  );
}
