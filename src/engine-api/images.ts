import type { Readable } from "node:stream";
import { InvalidArgumentError, readOptions } from "../core/index.js";
import { compareApiVersions } from "./api-version.js";
import { EngineError } from "./errors.js";
import { type Filters, encodeFilters } from "./filters.js";
import { type JsonMessage, readMessages } from "./json-messages.js";
import { imagePath, splitReference } from "./names.js";
import { callKinds, imageKinds } from "./option-kinds.js";
import { type RegistryAuth, encodeRegistryAuth } from "./registry-auth.js";
import type { CallOptions, Transport } from "./transport.js";
import type { UploadSource } from "./upload-feed.js";
import type {
  ImageDeleted,
  ImageHistoryEntry,
  ImageInspect,
  ImagesPruned,
  ImageSummary,
  OciDescriptor,
} from "./wire-image.js";

type Platform = NonNullable<OciDescriptor["platform"]>;

const keptMessages = 1_000;

/** Options of {@link Images.pull}. */
export interface PullOptions extends CallOptions {
  registryAuth?: RegistryAuth | undefined;
  /** `os/arch[/variant]`. Default: the engine's own. */
  platform?: string;
  /** What it throws, or rejects with, ends the call. */
  onProgress?: (message: JsonMessage) => unknown;
}

/** Options of {@link Images.push}. */
export interface PushOptions extends CallOptions {
  registryAuth?: RegistryAuth | undefined;
  /** What it throws, or rejects with, ends the call. */
  onProgress?: (message: JsonMessage) => unknown;
}

/** Options of {@link Images.save}. */
export interface SaveOptions extends CallOptions {
  /**
   * Only these platforms of an image; with the containerd image store only. One platform needs API 1.48, several need
   * 1.52. Default: all that the engine has.
   */
  platforms?: readonly Platform[];
}

/** Options of {@link Images.load}. */
export interface LoadOptions extends SaveOptions {
  /** What it throws, or rejects with, ends the call. */
  onProgress?: (message: JsonMessage) => unknown;
}

/** Calls on images. An image is named by reference, id or digest. */
export class Images {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Pulls an image; without tag and digest its `latest`. The deadline (default 300 s, since engines say nothing while
   * they ask the registry) is for the first progress.
   *
   * @throws EngineError also `ENGINE_STREAM` when the pull fails after it has begun.
   */
  async pull(reference: string, options: PullOptions = {}): Promise<void> {
    const given = readOptions("images.pull()", options, imageKinds.pull);
    const { registryAuth, platform, onProgress, ...rest } = given;
    const { name, tag } = splitReference(reference);
    const { body, request } = await this.#transport.open({
      milliseconds: 300_000,
      ...rest,
      method: "POST",
      path: "/images/create",
      query: { fromImage: name, tag, platform },
      headers: registryAuth ? { "x-registry-auth": encodeRegistryAuth(registryAuth) } : {},
    });
    // Awaited: an async callback that rejects must end the call, not the process.
    for await (const message of readMessages(body, request)) await onProgress?.(message);
  }

  /**
   * Pushes an image by its name; without a tag its `latest`. The deadline (default 300 s) is for the first progress.
   *
   * @throws EngineError also `ENGINE_STREAM` when the push fails after it has begun.
   */
  async push(reference: string, options: PushOptions = {}): Promise<void> {
    const given = readOptions("images.push()", options, imageKinds.push);
    const { registryAuth = {}, onProgress, ...rest } = given;
    const { name, tag } = splitReference(reference);
    const { body, request } = await this.#transport.open({
      milliseconds: 300_000,
      ...rest,
      method: "POST",
      path: `/images/${imagePath(name)}/push`,
      query: { tag },
      // Engines take a push without this header for a malformed one.
      headers: { "x-registry-auth": encodeRegistryAuth(registryAuth) },
    });
    for await (const message of readMessages(body, request)) await onProgress?.(message);
  }

  /** Digest of an image's manifest or index in its registry, which the engine asks for it. */
  async remoteDigest(
    reference: string,
    options: CallOptions & { registryAuth?: RegistryAuth | undefined } = {},
  ): Promise<string> {
    const given = readOptions("images.remoteDigest()", options, imageKinds.remoteDigest);
    const { registryAuth = {}, ...rest } = given;
    const { Descriptor: descriptor } = await this.#transport.json<{ Descriptor: OciDescriptor }>({
      ...rest,
      method: "GET",
      path: `/distribution/${imagePath(reference)}/json`,
      headers: { "x-registry-auth": encodeRegistryAuth(registryAuth) },
    });
    return descriptor.digest;
  }

  /** What the engine knows of an image. @throws EngineError `ENGINE_NOT_FOUND`. */
  async inspect(reference: string, options: CallOptions = {}): Promise<ImageInspect> {
    const path = `/images/${imagePath(reference)}/json`;
    const call = readOptions("images.inspect()", options, callKinds);
    return this.#transport.json({ ...call, method: "GET", path });
  }

  /**
   * Loads an image archive (docker or OCI layout in a tar) and reads the answer to its end, since engines tell of
   * failures there (moby #40220). Gives the last 1,000 messages other than progress, e.g. `Loaded image: app:1`. Do not
   * rely on a reported success: inspect the image afterwards.
   *
   * The deadline (default 600 s) is for the engine to take the next bytes, and to begin its answer after the last.
   *
   * @throws EngineError `ENGINE_STREAM`, or `ENGINE_EMPTY_BODY` for an archive of no bytes. Errors of the archive's
   * source are thrown as they are.
   */
  async load(archive: UploadSource, options: LoadOptions = {}): Promise<JsonMessage[]> {
    const { onProgress, platforms, ...rest } = readOptions("images.load()", options, imageKinds.load);
    const call = {
      milliseconds: 600_000,
      ...rest,
      method: "POST" as const,
      path: "/images/load",
      query: { quiet: false, platform: await this.#platforms(platforms, rest.signal) },
      headers: { "content-type": "application/x-tar" },
    };
    return this.#transport.upload(call, archive, async ({ body, request }) => {
      const messages: JsonMessage[] = [];
      for await (const message of readMessages(body, request)) {
        await onProgress?.(message);
        if (message.progressDetail && !message.stream) continue;
        messages.push(message);
        if (messages.length > keptMessages) messages.shift();
      }
      return messages;
    });
  }

  /** An archive of images as a stream; destroy it to stop early. The deadline (default 300 s) is for its first byte. */
  async save(references: readonly string[], options: SaveOptions = {}): Promise<Readable> {
    if (!Array.isArray(references) || references.length === 0)
      throw new InvalidArgumentError("no image to save was named");
    const { platforms, ...rest } = readOptions("images.save()", options, imageKinds.save);
    const { body } = await this.#transport.open({
      milliseconds: 300_000,
      ...rest,
      method: "GET",
      path: "/images/get",
      query: { names: references.map(imagePath), platform: await this.#platforms(platforms, rest.signal) },
    });
    return body;
  }

  /** An older engine silently ignores what it does not know, so it is not asked. */
  async #platforms(platforms: readonly Platform[] = [], signal: AbortSignal | undefined): Promise<string[]> {
    if (platforms.length === 0) return [];
    const needed = platforms.length > 1 ? "1.52" : "1.48";
    const version = await this.#transport.apiVersion(signal);
    if (compareApiVersions(version, needed) < 0)
      throw new EngineError(
        "ENGINE_VERSION",
        `the engine takes ${platforms.length > 1 ? "several platforms" : "a platform"} of an image since API ${needed}; it is spoken to in ${version}`,
      );
    return platforms.map((platform) => JSON.stringify(platform));
  }

  /** Adds a name to an image. If another image has that tag, the tag moves. */
  async tag(source: string, target: string, options: CallOptions = {}): Promise<void> {
    const { name: repo, tag } = splitReference(target);
    const path = `/images/${imagePath(source)}/tag`;
    const call = readOptions("images.tag()", options, callKinds);
    await this.#transport.send({ ...call, method: "POST", path, query: { repo, tag } });
  }

  /** The engine's images; with `manifests` (API 1.47, containerd store) also which parts of each are there. */
  async list(
    options: CallOptions & { all?: boolean; filters?: Filters; manifests?: boolean } = {},
  ): Promise<ImageSummary[]> {
    const { all, filters, manifests, ...rest } = readOptions("images.list()", options, imageKinds.list);
    return this.#transport.json({
      ...rest,
      method: "GET",
      path: "/images/json",
      query: { all: all || undefined, filters: encodeFilters(filters), manifests: manifests || undefined },
    });
  }

  /** Removes a name, and the image with its last one. `noPrune` keeps parents that are left without a name. */
  async remove(
    reference: string,
    options: CallOptions & { force?: boolean; noPrune?: boolean } = {},
  ): Promise<ImageDeleted[]> {
    const { force, noPrune, ...rest } = readOptions("images.remove()", options, imageKinds.remove);
    return this.#transport.json({
      milliseconds: 300_000,
      ...rest,
      method: "DELETE",
      path: `/images/${imagePath(reference)}`,
      query: { force: force || undefined, noprune: noPrune || undefined },
    });
  }

  /** How an image came to be, the newest step first. @throws EngineError `ENGINE_NOT_FOUND`. */
  async history(reference: string, options: CallOptions = {}): Promise<ImageHistoryEntry[]> {
    const call = readOptions("images.history()", options, callKinds);
    return this.#transport.json({ ...call, method: "GET", path: `/images/${imagePath(reference)}/history` });
  }

  /** Removes images that have no name, or with the filter `dangling=false` those that no container uses. No deadline unless given. */
  async prune(options: CallOptions & { filters?: Filters } = {}): Promise<ImagesPruned> {
    const { filters, ...rest } = readOptions("images.prune()", options, imageKinds.prune);
    return this.#transport.json({
      milliseconds: 0,
      ...rest,
      method: "POST",
      path: "/images/prune",
      query: { filters: encodeFilters(filters) },
    });
  }
}
