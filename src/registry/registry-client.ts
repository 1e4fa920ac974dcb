import type { Readable } from "node:stream";
import type { Environment, RegistrySettings } from "../config/index.js";
import { isSlipwayError, throwIfAborted } from "../core/index.js";
import { type BlobUpload, uploadBlob } from "./blob-upload.js";
import { type BlobReadOptions, readBlobStream } from "./blob-download.js";
import type { CredentialProvider } from "./credentials.js";
import { type Descriptor, isIndexType, isManifestType, mediaTypes } from "./descriptor.js";
import { digestOf, isDigest } from "./digest.js";
import { type Endpoint, endpointsOf } from "./endpoint.js";
import { Exchange, listOf, refusal } from "./exchange.js";
import { maxManifestBytes } from "./manifest.js";
import { type ImageReference, formatReference, withDefaultTag } from "./reference.js";
import { type Referrer, addReferrer, readReferrer } from "./referrers-tag.js";
import { listReferrers } from "./referrers.js";
import { RegistryError } from "./registry-error.js";
import { RegistryHttp } from "./registry-http.js";
import { readBody } from "./response-body.js";
import { repositoryScope } from "./scopes.js";

/** Options of {@link RegistryClient}. */
export interface RegistryClientOptions {
  /** For proxies and certificates. */
  env: Environment;
  /** Default: anonymous. */
  credentials?: CredentialProvider | undefined;
  /** Mirrors and TLS by registry, as in `buildkitd.toml` (`readRegistrySettings`). */
  settings?: ReadonlyMap<string, RegistrySettings> | undefined;
}

/** A repository: an image reference does as well. */
export type Repository = Pick<ImageReference, "domain" | "path">;

/** Options of every call. */
export interface RegistryCallOptions {
  signal?: AbortSignal | undefined;
}

/** A manifest or index as it is stored. */
export interface StoredManifest {
  descriptor: Descriptor;
  content: Buffer;
}

const manifestTypes = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerList,
  mediaTypes.dockerManifest,
  "*/*",
].join(", ");

/**
 * A client of OCI registries (distribution-spec 1.1): manifests, blobs, referrers, with token or basic authorisation,
 * mirrors, and insecure or plain registries where they are marked so. Everything read by digest is checked against it.
 */
export class RegistryClient implements AsyncDisposable {
  readonly #http: RegistryHttp;
  readonly #exchange: Exchange;
  readonly #settings: ReadonlyMap<string, RegistrySettings>;
  readonly #endpoints = new Map<string, Endpoint[]>();
  /** Work on the tags of referrers, by tag. */
  readonly #referrerTags = new Map<string, Promise<void>>();

  constructor({ env, credentials, settings = new Map() }: RegistryClientOptions) {
    const hosts = new Map(settings);
    const hub = settings.get("docker.io");
    if (hub && !hosts.has("registry-1.docker.io")) hosts.set("registry-1.docker.io", hub);
    this.#settings = settings;
    this.#http = new RegistryHttp({ env, hosts });
    this.#exchange = new Exchange(this.#http, credentials ?? (async () => undefined));
  }

  /**
   * Makes sure that the registry takes the credentials: asks for its API's base, which every registry has (distribution-spec `end-1`).
   *
   * @throws RegistryError `REGISTRY_UNAUTHORIZED`, `REGISTRY_CONNECT`, …
   */
  async checkAccess(domain: string, { signal }: RegistryCallOptions = {}): Promise<void> {
    const [endpoint] = endpointsOf(domain, this.#settings, "push").slice(-1);
    if (!endpoint) return;
    const response = await this.#exchange.send(endpoint, { method: "GET", path: "", scopes: [], signal });
    if (response.statusCode !== 200) throw await refusal(endpoint, response, domain);
    await response.body.dump();
  }

  /**
   * What a reference stands for: its manifest's descriptor. Without tag and digest it is `latest`.
   *
   * @throws RegistryError `REGISTRY_NOT_FOUND`, …
   */
  async resolve(reference: ImageReference, options: RegistryCallOptions = {}): Promise<Descriptor> {
    return await this.#pull(reference, options, async (endpoint) => {
      const response = await this.#exchange.send(endpoint, {
        ...this.#manifestRequest(reference),
        method: "HEAD",
        signal: options.signal,
      });
      await response.body.dump();
      const { headers, statusCode } = response;
      const digest = listOf(headers["docker-content-digest"])[0];
      const mediaType = mediaTypeOf(headers["content-type"]);
      const size = Number(listOf(headers["content-length"])[0]);
      const complete = digest !== undefined && isDigest(digest) && Number.isSafeInteger(size) && size > 0;
      if (statusCode === 200 && complete && isKnownType(mediaType)) {
        if (reference.digest !== undefined && digest !== reference.digest)
          throw wrongDigest(reference, digest);
        return { mediaType, digest, size };
      }
      // HEAD has no room for reasons, and not every registry answers it in full.
      return (await this.#getManifest(endpoint, reference, options)).descriptor;
    });
  }

  /** The manifest or index of a reference, its digest checked. */
  async getManifest(reference: ImageReference, options: RegistryCallOptions = {}): Promise<StoredManifest> {
    return await this.#pull(reference, options, (endpoint) =>
      this.#getManifest(endpoint, reference, options),
    );
  }

  async #getManifest(
    endpoint: Endpoint,
    reference: ImageReference,
    { signal }: RegistryCallOptions,
  ): Promise<StoredManifest> {
    const name = formatReference(withDefaultTag(reference));
    const response = await this.#exchange.send(endpoint, {
      ...this.#manifestRequest(reference),
      method: "GET",
      signal,
    });
    if (response.statusCode !== 200) throw await refusal(endpoint, response, name);
    const content = await readBody(response, maxManifestBytes, `the manifest of ${name}`);
    const announced = reference.digest ?? listOf(response.headers["docker-content-digest"])[0];
    // sha256 is what all registries use; another algorithm is checked where a reference asks for it.
    const digest = digestOf(content);
    if (announced?.startsWith("sha256:") && announced !== digest) throw wrongDigest(reference, digest);
    if (reference.digest !== undefined && !reference.digest.startsWith("sha256:")) {
      throw new RegistryError("REGISTRY_PROTOCOL", `${name}: only sha256 digests are supported`);
    }
    const mediaType = mediaTypeOf(response.headers["content-type"]) ?? "";
    return { descriptor: { mediaType, digest, size: content.length }, content };
  }

  /** Stores a manifest or index under the reference's tag, or under its digest when the reference has no tag. */
  async putManifest(
    reference: ImageReference,
    manifest: { mediaType: string; content: Buffer },
    { signal }: RegistryCallOptions = {},
  ): Promise<Descriptor> {
    const { mediaType, content } = manifest;
    const digest = digestOf(content);
    const [endpoint] = this.#endpointsOf(reference, "push");
    const response = await this.#exchange.send(endpoint, {
      method: "PUT",
      path: `${reference.path}/manifests/${reference.tag ?? digest}`,
      headers: { "content-type": mediaType },
      body: () => content,
      scopes: [repositoryScope(reference.path, true)],
      signal,
    });
    const name = formatReference(reference);
    if (response.statusCode !== 201 && response.statusCode !== 200) {
      throw await refusal(endpoint, response, `pushing ${name}`);
    }
    await response.body.dump();
    const stored = listOf(response.headers["docker-content-digest"])[0];
    if (stored?.startsWith("sha256:") && stored !== digest) throw wrongDigest(reference, stored);
    const descriptor = { mediaType, digest, size: content.length };
    if (listOf(response.headers["oci-subject"]).length === 0) {
      const referrer = readReferrer(content, descriptor);
      if (referrer) await this.#nameReferrer(reference, referrer, signal);
    }
    return descriptor;
  }

  /**
   * Registries without the referrers API do not know of subjects: the clients keep a tag with the list
   * (distribution-spec 1.1, pushing manifests with subject). One at a time, since each adds to what is there.
   */
  async #nameReferrer(
    { domain, path }: Repository,
    { subject, descriptor }: Referrer,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const tagged = { domain, path, tag: subject.replace(":", "-") };
    const key = formatReference(tagged);
    const before = this.#referrerTags.get(key) ?? Promise.resolve();
    const turn = before.then(async () => {
      const known = await this.getManifest(tagged, { signal }).catch((error: unknown) => {
        if (isSlipwayError(error, "REGISTRY_NOT_FOUND")) return undefined;
        throw error;
      });
      const content = addReferrer(known?.content, descriptor);
      if (content) await this.putManifest(tagged, { mediaType: mediaTypes.ociIndex, content }, { signal });
    });
    this.#referrerTags.set(
      key,
      turn.catch(() => {}), // whoever waits for its turn is not concerned
    );
    await turn;
  }

  /** True when the repository has the blob. Mirrors are not asked: it is about pushing. */
  async hasBlob(repository: Repository, digest: string, options: RegistryCallOptions = {}): Promise<boolean> {
    return await this.#hasBlob(repository, digest, false, options);
  }

  async #hasBlob(
    { domain, path }: Repository,
    digest: string,
    isPush: boolean,
    { signal }: RegistryCallOptions,
  ): Promise<boolean> {
    const [endpoint] = this.#endpointsOf({ domain, path }, "push");
    const response = await this.#exchange.send(endpoint, {
      method: "HEAD",
      path: `${path}/blobs/${digest}`,
      scopes: [repositoryScope(path, isPush)],
      signal,
    });
    await response.body.dump();
    const { statusCode } = response;
    if (statusCode === 200) return true;
    // Some registries refuse to tell of a repository that is not there yet, and take the push all the same.
    if (statusCode === 404 || (isPush && (statusCode === 401 || statusCode === 403))) return false;
    throw await refusal(endpoint, response, `${domain}/${path}@${digest}`);
  }

  /**
   * The bytes of a blob. They are checked: too many, too few, or not those of the digest is an error at the end, so
   * what was read must not be used before. A connection that breaks is taken up where it broke.
   */
  getBlob(
    repository: Repository,
    blob: Descriptor,
    options: RegistryCallOptions = {},
  ): AsyncIterable<Buffer> {
    const request: Omit<BlobReadOptions, "endpoint"> = {
      exchange: this.#exchange,
      repository,
      blob,
      signal: options.signal,
    };
    const open = (endpoint: Endpoint) => readBlobStream({ ...request, endpoint });
    return this.#firstEndpoint(repository, open, options.signal);
  }

  /** A small blob whole, such as an image configuration: at most 4 MiB. */
  async readBlob(
    repository: Repository,
    blob: Descriptor,
    options: RegistryCallOptions = {},
  ): Promise<Buffer> {
    if (blob.size > maxManifestBytes) {
      throw new RegistryError("REGISTRY_PROTOCOL", `${blob.digest} is longer than ${maxManifestBytes} bytes`);
    }
    const chunks: Buffer[] = [];
    for await (const chunk of this.getBlob(repository, blob, options)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /**
   * Stores a blob, unless the repository has it. `source` makes its bytes, and is asked again for a second try;
   * `mountFrom` is a repository of the same registry that has the blob, from which it need not be sent at all.
   */
  async putBlob(
    repository: Repository,
    blob: Descriptor,
    source: () => AsyncIterable<Buffer> | Readable,
    options: RegistryCallOptions & { mountFrom?: Repository } = {},
  ): Promise<BlobUpload> {
    throwIfAborted(options.signal);
    if (await this.#hasBlob(repository, blob.digest, true, options)) return "exists";
    const [endpoint] = this.#endpointsOf(repository, "push");
    return await uploadBlob({ exchange: this.#exchange, endpoint, repository, blob, source, ...options });
  }

  /** Manifests that refer to the given one as their subject, e.g. attestations and signatures. */
  async referrers(
    repository: Repository,
    digest: string,
    options: RegistryCallOptions & { artifactType?: string } = {},
  ): Promise<Descriptor[]> {
    return await this.#pull(repository, options, (endpoint) =>
      listReferrers(this.#exchange, endpoint, repository, digest, {
        ...options,
        fallback: async (tag) => {
          const { domain, path } = repository;
          return (await this.#getManifest(endpoint, { domain, path, tag }, options)).content;
        },
      }),
    );
  }

  /** Drops all connections. */
  async close(): Promise<void> {
    await this.#http.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #manifestRequest(reference: ImageReference) {
    const { path, tag, digest } = withDefaultTag(reference);
    return {
      path: `${path}/manifests/${digest ?? tag}`,
      headers: { accept: manifestTypes },
      scopes: [repositoryScope(path)],
    };
  }

  /** What the first endpoint gives that can; a mirror's failure is no failure as long as there is another. */
  async #pull<T>(
    repository: Repository,
    { signal }: RegistryCallOptions,
    work: (endpoint: Endpoint) => Promise<T>,
  ): Promise<T> {
    const endpoints = this.#endpointsOf(repository, "pull");
    const last = endpoints[endpoints.length - 1] as Endpoint;
    for (const endpoint of endpoints.slice(0, -1)) {
      try {
        return await work(endpoint);
      } catch (error) {
        throwIfAborted(signal);
        if (!(error instanceof RegistryError)) throw error;
      }
    }
    return await work(last);
  }

  async *#firstEndpoint(
    repository: Repository,
    open: (endpoint: Endpoint) => AsyncGenerator<Buffer>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Buffer> {
    const { stream, first } = await this.#pull(repository, { signal }, async (endpoint) => {
      const stream = open(endpoint);
      return { stream, first: await stream.next() };
    });
    try {
      if (first.done) return;
      yield first.value;
      yield* stream;
    } finally {
      await stream.return(undefined);
    }
  }

  #endpointsOf({ domain }: Repository, use: "pull" | "push"): [Endpoint, ...Endpoint[]] {
    const key = `${use} ${domain}`;
    let endpoints = this.#endpoints.get(key);
    if (!endpoints) {
      endpoints = endpointsOf(domain, this.#settings, use);
      this.#endpoints.set(key, endpoints);
    }
    return endpoints as [Endpoint, ...Endpoint[]];
  }
}

function mediaTypeOf(header: string | string[] | undefined): string | undefined {
  return listOf(header)[0]?.split(";", 1)[0]?.trim().toLowerCase();
}

function isKnownType(mediaType: string | undefined): mediaType is string {
  return mediaType !== undefined && (isIndexType(mediaType) || isManifestType(mediaType));
}

function wrongDigest(reference: ImageReference, digest: string): RegistryError {
  const name = formatReference(reference);
  return new RegistryError("REGISTRY_DIGEST", `${name}: content does not match: digest ${digest}`, {
    host: reference.domain,
  });
}
