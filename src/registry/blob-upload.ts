import type { Descriptor } from "./descriptor.js";
import type { Endpoint } from "./endpoint.js";
import { type Exchange, refusal } from "./exchange.js";
import { RegistryError } from "./registry-error.js";
import { repositoryScope } from "./scopes.js";

/** How a blob came into its repository. */
export type BlobUpload = "exists" | "mounted" | "pushed";

/** What {@link uploadBlob} stores and where. */
export interface BlobUploadOptions {
  exchange: Exchange;
  endpoint: Endpoint;
  repository: { domain: string; path: string };
  blob: Descriptor;
  /** Makes the bytes. */
  source: () => AsyncIterable<Buffer>;
  /** A repository of the same registry that has the blob. */
  mountFrom?: { domain: string; path: string };
  signal?: AbortSignal | undefined;
}

/** Mounts a blob from another repository of the registry or sends it, in one piece (distribution-spec, push). */
export async function uploadBlob(options: BlobUploadOptions): Promise<BlobUpload> {
  const { exchange, endpoint, repository, blob, mountFrom, signal } = options;
  const name = `pushing ${blob.digest} to ${repository.domain}/${repository.path}`;
  const canMount = mountFrom?.domain === repository.domain && mountFrom.path !== repository.path;
  const start = (query: Record<string, string>, scopes: string[]) =>
    exchange.send(endpoint, {
      method: "POST",
      path: `${repository.path}/blobs/uploads/`,
      query,
      headers: { "content-length": "0" },
      scopes: [repositoryScope(repository.path, true), ...scopes],
      signal,
    });
  let response = canMount
    ? await start({ mount: blob.digest, from: mountFrom.path }, [repositoryScope(mountFrom.path)])
    : await start({}, []);
  // A repository that may not be read cannot be mounted from; its blob can still be sent.
  if (canMount && (response.statusCode === 401 || response.statusCode === 403)) {
    await response.body.dump();
    response = await start({}, []);
  }
  if (response.statusCode === 201) {
    await response.body.dump();
    return "mounted";
  }
  if (response.statusCode !== 202) throw await refusal(endpoint, response, name);
  await response.body.dump();
  const base = new URL(`${endpoint.protocol}//${endpoint.host}${endpoint.base}/`);
  const location = exchange.resolveLocation(endpoint, base, response);
  const put = await exchange.send(endpoint, {
    method: "PUT",
    path: location,
    query: { digest: blob.digest },
    headers: { "content-type": "application/octet-stream", "content-length": String(blob.size) },
    body: () => exactly(options),
    scopes: [repositoryScope(repository.path, true)],
    signal,
  });
  if (put.statusCode !== 201 && put.statusCode !== 204 && put.statusCode !== 200) {
    throw await refusal(endpoint, put, name);
  }
  await put.body.dump();
  return "pushed";
}

/** The source's bytes, which must be as many as announced: with fewer the registry would wait for the rest. */
async function* exactly({ source, blob, repository }: BlobUploadOptions): AsyncGenerator<Buffer> {
  let length = 0;
  for await (const chunk of source()) {
    length += chunk.length;
    if (length > blob.size) break;
    yield chunk;
  }
  if (length !== blob.size) {
    const count = length > blob.size ? "more" : length;
    throw new RegistryError(
      "REGISTRY_DIGEST",
      `the source of ${blob.digest} for ${repository.path} has ${count} of ${blob.size} bytes`,
    );
  }
}
