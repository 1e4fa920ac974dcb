import { createReadStream } from "node:fs";
import { lstat, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Platform, only } from "../../builder/index.js";
import {
  type Descriptor,
  RegistryError,
  isDigest,
  isIndexType,
  mediaTypes,
  parseManifest,
} from "../../registry/index.js";
import { ImageCopier } from "../image-tools/copy-image.js";
import type { ImageLocation } from "../image-tools/image-location.js";
import { oneChunk } from "../image-tools/image-store.js";
import { LayoutStore } from "../image-tools/layout-store.js";
import type { ImageStores } from "../image-tools/open-stores.js";
import { fetchByBuilder, fetchCommit } from "./fetch-material.js";
import type { MaterialSpecs } from "./material-specs.js";
import { type LocalContent, findMaterial, readLocalContent } from "./material-store.js";
import { type Material, gitSubdirectory } from "./materials.js";
import { replayErrors } from "./replay-error.js";
import { type PlanMaterial, planMaterial } from "./replay-plan.js";
import type { ReplayTarget } from "./replay-target.js";
import { commitAnnotation, commitKey, sourceAnnotation } from "./snapshot-format.js";
import type { SnapshotOptions } from "./snapshot-options.js";
import { takenMaterials } from "./taken-materials.js";

/** A material in a snapshot: what the manifest of materials lists of it, and the manifest that the index does. */
export interface KeptMaterial {
  layer?: Descriptor;
  manifest?: Descriptor;
}

/** Puts materials into the layout of a snapshot, each once. */
export class SnapshotMaterials {
  readonly #stores: ImageStores;
  readonly #specs: MaterialSpecs;
  readonly #options: SnapshotOptions;
  readonly #target: { kind: "layout"; path: string };
  readonly #layout = new LayoutStore();
  readonly #warned = new Set<string>();

  constructor(init: { stores: ImageStores; specs: MaterialSpecs; options: SnapshotOptions; path: string }) {
    this.#stores = init.stores;
    this.#specs = init.specs;
    this.#options = init.options;
    this.#target = { kind: "layout", path: init.path };
  }

  /** What a snapshot would hold of a target. Of images the manifests are read, for their sizes. */
  async plan(target: ReplayTarget, include: boolean): Promise<PlanMaterial[]> {
    const { provenance } = target;
    const plan: PlanMaterial[] = [];
    for (const one of provenance.materials) {
      const entry = planMaterial(one, provenance.builderPlatform);
      const isIncluded = include && one.kind !== "unknown";
      const size = isIncluded && one.kind === "image" ? await this.#imageSize(one, target) : undefined;
      plan.push({ ...entry, ...(isIncluded && { included: true }), ...(size !== undefined && { size }) });
    }
    return plan;
  }

  /** Copies all materials of a target. @throws ReplayError for one that cannot be had */
  async keep(target: ReplayTarget): Promise<KeptMaterial[]> {
    const kept: KeptMaterial[] = [];
    for (const one of target.provenance.materials) if (one.kind === "unknown") this.#warn(one);
    for (const one of takenMaterials(target.provenance)) kept.push(await this.#keep(one, target));
    return kept;
  }

  async #keep(one: Material, target: ReplayTarget): Promise<KeptMaterial> {
    if (one.digest === undefined)
      throw replayErrors.subject(`${one.kind} material ${JSON.stringify(one.uri)} has no digest`);
    if (one.kind === "image") return this.#keepImage(one, target);
    return one.kind === "git" ? this.#keepCommit(one) : { layer: await this.#keepBlob(one) };
  }

  #warn({ uri }: Material): void {
    if (this.#warned.has(uri)) return;
    this.#warned.add(uri);
    this.#options.onWarning?.(`material with URI ${JSON.stringify(uri)} and no recognised scheme is ignored`);
  }

  async #keepImage(one: Material, target: ReplayTarget): Promise<KeptMaterial> {
    const { signal } = this.#options;
    const location = await this.#imageLocation(one);
    const { child, root, content } = await this.#imageOf(one, location, target);
    await this.#layout.writeBlob(this.#target, root, { location, read: () => oneChunk(content) });
    using copier = new ImageCopier(this.#stores, this.#target, signal);
    await copier.copyAll([{ source: location, descriptor: child }]);
    const { mediaType, digest, size } = root;
    return { layer: { mediaType, digest, size }, manifest: child };
  }

  /** Files of a commit, as an image: BuildKit takes them from one where it asks for the repository. */
  async #keepCommit(one: Material): Promise<KeptMaterial> {
    const { uri, digest = "" } = one;
    const found = await findMaterial(this.#specs, one);
    const key = commitKey(digest, gitSubdirectory(uri));
    const annotations = { [commitAnnotation]: key, [sourceAnnotation]: uri };
    if (found && !("file" in found)) {
      const location = { kind: "layout" as const, path: found.store.path, digest: found.digest };
      return { manifest: await this.#copyImage(location, annotations) };
    }
    this.#requireFetching(one);
    return this.#inScratch(async (path) => {
      await fetchCommit({ uri, digest }, path, this.#options);
      return { manifest: await this.#copyImage({ kind: "layout", path, tag: "latest" }, annotations) };
    });
  }

  async #copyImage(location: ImageLocation, annotations: Record<string, string>): Promise<Descriptor> {
    const { signal } = this.#options;
    const { mediaType, digest, size } = await this.#stores.of(location).resolve(location, { signal });
    using copier = new ImageCopier(this.#stores, this.#target, signal);
    await copier.copyAll([{ source: location, descriptor: { mediaType, digest, size } }]);
    return { mediaType, digest, size, annotations };
  }

  async #keepBlob(one: Material): Promise<Descriptor> {
    const { uri, digest = "", kind } = one;
    if (!isDigest(digest))
      throw replayErrors.subject(`${kind} material ${JSON.stringify(uri)} has no sha256 digest`);
    const mediaType =
      kind === "http" ? "application/octet-stream" : "application/vnd.oci.image.layer.v1.tar+gzip";
    const found = await findMaterial(this.#specs, one);
    if (found) return this.#writeBlob({ mediaType, digest, size: found.size }, found);
    this.#requireFetching(one);
    if (kind !== "http") throw replayErrors.materialNotFound(uri, digest);
    return this.#inScratch(async (path) => {
      const file = await fetchByBuilder({ uri, digest }, path, this.#options);
      // What a builder exports may be anything; a link or a pipe is not read.
      const found = await lstat(file);
      if (!found.isFile()) throw replayErrors.materialNotFound(uri, digest);
      const { size } = found;
      return this.#writeBlob({ mediaType, digest, size }, { file, size });
    });
  }

  async #writeBlob(descriptor: Descriptor, content: LocalContent): Promise<Descriptor> {
    const read = () =>
      "file" in content
        ? (createReadStream(content.file) as AsyncIterable<Buffer>)
        : readLocalContent(content);
    await this.#layout.writeBlob(this.#target, descriptor, { location: this.#target, read });
    return descriptor;
  }

  /** Without `provenance` among the places nothing is fetched from where it was recorded. */
  #requireFetching({ uri, digest = "" }: Material): void {
    if (!this.#specs.recorded) throw replayErrors.materialNotFound(uri, digest);
  }

  async #imageLocation(one: Material): Promise<ImageLocation> {
    const { uri, digest = "", image } = one;
    if (!image || image.type !== "docker" || !isDigest(digest))
      throw replayErrors.subject(`image material ${JSON.stringify(uri)} has no sha256 digest`);
    const found = await findMaterial(this.#specs, one);
    if (found && !("file" in found)) return { kind: "layout", path: found.store.path, digest };
    this.#requireFetching(one);
    const { reference } = image;
    if (reference.digest !== undefined && reference.digest !== digest)
      throw replayErrors.subject(
        `image material ${uri} digest ${reference.digest} does not match recorded digest ${digest}`,
      );
    // By its digest, wherever the tag leads now.
    const { tag: _, ...name } = reference;
    return { kind: "registry", reference: { ...name, digest } };
  }

  async #imageOf({ uri, digest = "" }: Material, location: ImageLocation, target: ReplayTarget) {
    const { signal } = this.#options;
    const store = this.#stores.of(location);
    const { descriptor: root, content } = await store.readManifest(location, digest, { signal });
    const parsed = parseManifest(content, undefined, digest);
    if (parsed.kind !== "index") return { root, content, child: root, location };
    const child = childFor(parsed.manifests, target);
    if (!child)
      throw replayErrors.subject(
        `image material index ${digest} of ${uri} has no manifest for the platform of the subject`,
      );
    return { root, content, child, location };
  }

  async #imageSize(one: Material, target: ReplayTarget): Promise<number> {
    const location = await this.#imageLocation(one);
    const { root, child } = await this.#imageOf(one, location, target);
    const { signal } = this.#options;
    const { content } = await this.#stores.of(location).readManifest(location, child.digest, { signal });
    const parsed = parseManifest(content, undefined, child.digest);
    if (parsed.kind !== "manifest")
      throw new RegistryError("REGISTRY_PROTOCOL", `${child.digest} is no image manifest`);
    const blobs = [parsed.config, ...parsed.layers].reduce((sum, { size }) => sum + size, 0);
    return root.size + (child.digest === root.digest ? 0 : child.size) + blobs;
  }

  async #inScratch<T>(work: (path: string) => Promise<T>): Promise<T> {
    const path = await mkdtemp(join(tmpdir(), "slipway-material-"));
    try {
      return await work(path);
    } finally {
      await rm(path, { recursive: true, force: true });
    }
  }
}

/**
 * The manifest that the build took of an image: the provenance names the index alone, and bases are of the target's platform, frontends
 * and tools of the builder's (buildx v0.38 replay/snapshot.go).
 */
function childFor(
  manifests: readonly Descriptor[],
  { subject, provenance }: ReplayTarget,
): Descriptor | undefined {
  const images = manifests.filter(
    ({ mediaType, annotations }) =>
      (mediaType === mediaTypes.ociManifest ||
        mediaType === mediaTypes.dockerManifest ||
        isIndexType(mediaType)) &&
      annotations?.["vnd.docker.reference.type"] === undefined,
  );
  const best = (wanted: Platform) => {
    const matcher = only(wanted);
    return images
      .filter(({ platform }) => platform && matcher.matches(platform))
      .sort((a, b) => (a.platform && b.platform ? matcher.compare(a.platform, b.platform) : 0))[0];
  };
  const wanted = [subject.platform, provenance.builderPlatform].filter((one) => one !== undefined);
  for (const platform of wanted) {
    const found = best(platform);
    if (found) return found;
  }
  return images.length === 1 ? images[0] : undefined;
}
