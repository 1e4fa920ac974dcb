import type { Readable } from "node:stream";
import {
  type EventSink,
  type LinkedSignal,
  isSlipwayError,
  linkSignal,
  withVertex,
  randomId,
} from "../../core/index.js";
import type { EngineClient } from "../../engine-api/index.js";
import type { Lease } from "../../fs/index.js";
import {
  familiarReference,
  formatReference,
  isIndexType,
  parseReference,
  withDefaultTag,
} from "../../registry/index.js";
import { ContentStore, type PolicyDecision, type PolicyRequest } from "../../session/index.js";
import { pb } from "../../buildkit/index.js";
import { create } from "@bufbuild/protobuf";
import type { CachedImage, ImageCache } from "./image-cache.js";

/** An engine's image as the builder gets it. */
export interface ServedImage extends CachedImage {
  /** Store id without the `oci:` in front. */
  store: string;
  /** `os/architecture`; images of containerd stores may have more. */
  platform: string;
  isIndex: boolean;
}

/**
 * Images of an engine's own store, served to a builder as OCI layouts. Each is saved
 * once; the builder reads the blobs it lacks. Close it when the build has ended.
 */
export class EngineImages {
  /** The content stores, by the ids the builder knows them under; grows as images are asked for. */
  readonly stores = new Map<string, ContentStore>();
  readonly #engine: EngineClient;
  readonly #cache: ImageCache;
  readonly #sink: EventSink | undefined;
  readonly #link: LinkedSignal;
  readonly #leases: Lease[] = [];
  readonly #images = new Map<string, Promise<ServedImage | undefined>>();
  /** Complete references that the builder may ask for; it is not trusted with the engine's other images. */
  readonly #allowed: ReadonlySet<string>;
  readonly #refused = new Set<string>();

  constructor(init: {
    engine: EngineClient;
    cache: ImageCache;
    allowed?: ReadonlySet<string>;
    sink?: EventSink | undefined;
    signal?: AbortSignal | undefined;
  }) {
    this.#engine = init.engine;
    this.#cache = init.cache;
    this.#allowed = init.allowed ?? new Set();
    this.#sink = init.sink;
    this.#link = linkSignal(init.signal);
  }

  /** The image that the engine has under this name; undefined when it has none. */
  find(name: string): Promise<ServedImage | undefined> {
    const reference = familiarReference(withDefaultTag(parseReference(name)));
    let found = this.#images.get(reference);
    if (!found) this.#images.set(reference, (found = this.#serve(reference)));
    return found;
  }

  /**
   * Decides about a source: one that the engine has comes from there. The daemon asks twice, by name and then with the digest
   * it was given, and a third time about what it was converted to, which is to be allowed.
   */
  async decide(request: PolicyRequest): Promise<PolicyDecision> {
    const identifier = request.Source?.Source?.identifier ?? "";
    const name = /^docker-image:\/\/(.+)$/.exec(identifier)?.[1];
    if (name === undefined) return { action: "allow" };
    const { digest, ...reference } = parseReference(name);
    // Frontends are the builder's own tools, not bases.
    if (reference.domain === "docker.io" && reference.path.startsWith("docker/dockerfile"))
      return { action: "allow" };
    if (digest !== undefined && reference.tag === undefined) return { action: "allow" };
    const asked = formatReference(withDefaultTag(reference));
    if (!this.#allowed.has(asked)) {
      await this.#tellRefusal(familiarReference(withDefaultTag(reference)));
      return { action: "allow" };
    }
    const image = await this.find(asked);
    if (!image || (digest !== undefined && digest !== image.digest)) return { action: "allow" };
    const { OS = "", Architecture = "" } = request.Platform ?? {};
    if (!image.isIndex && OS !== "" && `${OS}/${Architecture}` !== image.platform) return { action: "allow" };
    const full = formatReference({ ...withDefaultTag(reference), digest: image.digest });
    return {
      action: "convert",
      update: create(pb.SourceOpSchema, {
        identifier: `oci-layout://${full}`,
        attrs: { "oci.store": image.store },
      }),
    };
  }

  /** Ends what is still being saved, and lets the cache forget the images again. */
  async close(): Promise<void> {
    this.#link.abort(new Error("the build has ended"));
    await Promise.allSettled(this.#images.values());
    await Promise.all(this.#leases.splice(0).map((lease) => lease.close()));
    this.#link[Symbol.dispose]();
  }

  /** Says why an image of the engine was not taken. The builder learns nothing by it. */
  async #tellRefusal(name: string): Promise<void> {
    if (this.#refused.has(name)) return;
    this.#refused.add(name);
    const has = await this.#engine.images.inspect(name, { signal: this.#link.signal }).then(
      () => true,
      () => false,
    );
    if (has)
      this.#sink?.({
        type: "message",
        level: "warning",
        text: `the builder asks for ${name}, which the engine has, but the Dockerfile is not seen to name it: it comes from its registry; allow it with --engine-images=${name}`,
      });
  }

  async #serve(reference: string): Promise<ServedImage | undefined> {
    const options = { signal: this.#link.signal };
    const found = await this.#engine.images.inspect(reference, options).catch((error: unknown) => {
      if (isSlipwayError(error, "ENGINE_NOT_FOUND")) return undefined;
      throw error;
    });
    if (!found) return undefined;
    return withVertex(this.#sink, `[engine] load ${reference}`, async (vertex) => {
      vertex.log(1, Buffer.from(`using ${reference} (${found.Id}) of the engine at ${this.#engine.host}\n`));
      const save = (): Promise<Readable> => this.#engine.images.save([reference], options);
      const { lease, ...image } = await this.#cache.get(found.Id, save, options);
      this.#leases.push(lease);
      const store = randomId();
      this.stores.set(`oci:${store}`, new ContentStore(image.path));
      return {
        ...image,
        store,
        platform: `${found.Os}/${found.Architecture}`,
        isIndex: isIndexType(found.Descriptor?.mediaType ?? ""),
      };
    });
  }
}
