import { formatPlatform, normalizePlatform } from "../../builder/index.js";
import type { JsonObject } from "../../config/index.js";
import {
  type Descriptor,
  type Manifest,
  RegistryError,
  isIndexType,
  isManifestType,
  parseManifest,
  parseDocument,
} from "../../registry/index.js";
import { listedManifests } from "./documents.js";
import { type ImageLocation, formatImageLocation, parseImageLocation, withDigest } from "./image-location.js";
import { collectBlob } from "./image-store.js";
import type { InspectImageOptions, InspectedImage, InspectedPlatform } from "./image-tools.js";
import { type ImageStores, openStores } from "./open-stores.js";

/** No attestation is larger than this, in bytes. */
const largestAttestation = 32 << 20;

/** Manifests that all indexes of one image list: the largest have some hundred. */
const mostManifests = 1000;

const references = ["com.docker.reference.digest", "vnd.docker.reference.digest"];

/** What `inspectImage()` does. */
export async function readImage(name: string, options: InspectImageOptions = {}): Promise<InspectedImage> {
  const { attestations = {}, configs = false, signal } = options;
  const location = parseImageLocation(name);
  await using stores = await openStores(options);
  const reader = new ImageReader(stores, location, signal);
  const descriptor = await stores.of(location).resolve(location, { signal });
  const { content } = await stores.of(location).readManifest(location, descriptor.digest, { signal });
  const listed = isIndexType(descriptor.mediaType) ? listedManifests(content, descriptor.digest) : [];
  const platforms = new Map<string, InspectedPlatform>();
  if (configs || attestations.sbom || attestations.provenance) {
    await reader.load(descriptor);
    for (const [platform, found] of await reader.platforms(attestations)) platforms.set(platform, found);
  }
  return {
    name: formatImageLocation(location),
    descriptor,
    content,
    manifests: listed.map((entry) => ({
      name: formatImageLocation(withDigest(location, entry.digest)),
      descriptor: entry,
    })),
    platforms,
  };
}

/** Manifests of one image, and what they lead to. */
class ImageReader {
  readonly #stores: ImageStores;
  readonly #location: ImageLocation;
  readonly #signal: AbortSignal | undefined;
  /** Each is read once, by digest. */
  readonly #read = new Map<string, Promise<Manifest>>();
  #entries = 0;
  readonly #manifests = new Map<string, { config: Descriptor; layers: Descriptor[] }>();
  /** Digest of the manifest by platform. */
  readonly #images = new Map<string, string>();
  /** Digests of attestations by what they attest. */
  readonly #attestations = new Map<string, string[]>();

  constructor(stores: ImageStores, location: ImageLocation, signal: AbortSignal | undefined) {
    this.#stores = stores;
    this.#location = location;
    this.#signal = signal;
  }

  /** Reads a manifest, or all that an index lists. */
  async load(descriptor: Descriptor): Promise<void> {
    const { mediaType, digest, annotations = {} } = descriptor;
    if (!isIndexType(mediaType) && !isManifestType(mediaType)) return;
    const isKnown = this.#read.has(digest);
    const manifest = await this.#manifest(digest);
    if (manifest.kind === "index") {
      // Indexes may list each other many times over.
      if (isKnown) return;
      this.#entries += manifest.manifests.length;
      if (this.#entries > mostManifests)
        throw new RegistryError(
          "REGISTRY_PROTOCOL",
          `${formatImageLocation(this.#location)} lists more than ${mostManifests} manifests`,
        );
      await Promise.all(manifest.manifests.map((entry) => this.load(entry)));
      return;
    }
    this.#manifests.set(digest, manifest);
    const subject = references.map((name) => annotations[name]).find(Boolean);
    if (subject !== undefined) {
      this.#attestations.set(subject, [...(this.#attestations.get(subject) ?? []), digest]);
      return;
    }
    const platform = descriptor.platform ?? (await this.#json(manifest.config));
    const text = (value: unknown) => (typeof value === "string" ? value : "");
    const { os, architecture, variant } = platform as JsonObject;
    const named = {
      os: text(os),
      architecture: text(architecture),
      ...(variant ? { variant: text(variant) } : {}),
    };
    this.#images.set(named.os === "" ? "unknown" : formatPlatform(normalizePlatform(named)), digest);
  }

  #manifest(digest: string): Promise<Manifest> {
    const known = this.#read.get(digest);
    if (known) return known;
    const store = this.#stores.of(this.#location);
    const reading = store
      .readManifest(this.#location, digest, { signal: this.#signal })
      .then(({ content }) => parseManifest(content, undefined, digest));
    this.#read.set(digest, reading);
    return reading;
  }

  async platforms(wanted: { sbom?: boolean; provenance?: boolean }): Promise<[string, InspectedPlatform][]> {
    const sorted = [...this.#images].sort(([a], [b]) => (a < b ? -1 : 1));
    return Promise.all(
      sorted.map(async ([platform, digest]): Promise<[string, InspectedPlatform]> => {
        const manifest = this.#manifests.get(digest);
        const config = manifest ? await this.#json(manifest.config) : {};
        const statements = (this.#attestations.get(digest) ?? []).flatMap(
          (reference) => this.#manifests.get(reference)?.layers ?? [],
        );
        const sbom = wanted.sbom ? await this.#predicates(statements, isSpdx) : [];
        const [provenance] = wanted.provenance ? await this.#predicates(statements, isProvenance) : [];
        return [platform, { config, sbom, ...(provenance !== undefined && { provenance }) }];
      }),
    );
  }

  async #predicates(
    layers: readonly Descriptor[],
    isWanted: (predicateType: string) => boolean,
  ): Promise<unknown[]> {
    const found = layers.filter(
      ({ mediaType, annotations }) =>
        (mediaType === "application/vnd.in-toto+json" || isSigned(mediaType)) &&
        isWanted(annotations?.["in-toto.io/predicate-type"] ?? ""),
    );
    return Promise.all(
      found.map(async (layer) => {
        const statement = await this.#json(layer);
        if (!isSigned(layer.mediaType)) return statement["predicate"];
        const payload = typeof statement["payload"] === "string" ? statement["payload"] : "";
        return parseDocument(Buffer.from(payload, "base64"), `the statement in ${this.#named(layer)}`)[
          "predicate"
        ];
      }),
    );
  }

  async #json(blob: Descriptor): Promise<JsonObject> {
    const what = this.#named(blob);
    if (blob.size > largestAttestation)
      throw new RegistryError("REGISTRY_PROTOCOL", `${what} is longer than ${largestAttestation} bytes`);
    const store = this.#stores.of(this.#location);
    const bytes = await collectBlob(store.readBlob(this.#location, blob, { signal: this.#signal }));
    return parseDocument(bytes, what);
  }

  #named({ digest }: Descriptor): string {
    return `${formatImageLocation(this.#location)}: ${digest}`;
  }
}

/** In an envelope with signatures (DSSE). */
function isSigned(mediaType: string): boolean {
  return /^application\/vnd\.in-toto\..*\+dsse$/.test(mediaType);
}

function isSpdx(predicateType: string): boolean {
  return predicateType === "https://spdx.dev/Document";
}

function isProvenance(predicateType: string): boolean {
  return predicateType.startsWith("https://slsa.dev/provenance/");
}
