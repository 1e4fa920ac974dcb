import { randomBytes } from "node:crypto";
import { debuglog } from "node:util";
import type { BuildkitClient } from "../../buildkit/index.js";
import { type EventSink, type VertexWriter, messageOf, withVertex } from "../../core/index.js";
import type { EngineClient } from "../../engine-api/index.js";
import type { StreamTarget } from "../../session/index.js";
import { classicHoldings, containerdHoldings } from "./engine-holdings.js";
import { type AskedNames, completeName } from "../asked-names.js";
import type { Turns } from "../turns.js";
import { ArchiveGuard } from "./archive-guard.js";
import { loadImage } from "./full-load.js";
import { imageArchive } from "./image-archive.js";
import { DocumentReader, type ImageContent, readConfigDigest, readImageContent } from "./image-content.js";
import type { ManifestMemory } from "./manifest-memory.js";

const debug = debuglog("slipway:load");

/** How long an engine may take to remove the temporary name of a load that was cancelled, in ms. */
const tidyMilliseconds = 5_000;

/** What {@link loadTarget} works with. */
export interface LoadTargetOptions {
  /** The builder, whose content store has the image's blobs while it exports it. */
  client: BuildkitClient;
  /** The engine that the image is for. */
  engine: EngineClient;
  /** The engine keeps its images in containerd. */
  containerdStore: boolean;
  memory: ManifestMemory;
  /** Names that the image may be given. */
  asked: AskedNames;
  /** Takes the digests of manifests and configs that were seen on their way: what the builder says of the image must be among them. */
  seen: Set<string>;
  /** Loads into the engine, of which one runs at a time. */
  turns: Turns;
  sink?: EventSink | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Takes an image that the builder exports for `--load`. When the builder announces it, its manifest is read from the
 * builder's content store, the engine is asked what it holds, and only the rest goes into the engine, straight from the content
 * store: the builder is answered that its archive is not wanted. On any doubt the full archive is taken, as buildx
 * does it (design.md decision 8).
 */
export function loadTarget(options: LoadTargetOptions): StreamTarget {
  const { asked, engine, seen, sink, turns } = options;
  const onEnd = (digests: Iterable<string>) => {
    for (const digest of digests) seen.add(digest);
  };
  return {
    type: "stream",
    async open(metadata, callSignal) {
      const signal = options.signal ?? callSignal;
      const digest = metadata.get("containerimage.digest");
      const names = asked.check(metadata.get("image.name")?.split(",").filter(Boolean) ?? []);
      const guard = new ArchiveGuard(asked);
      const missing = (image: string) =>
        turns.take(signal, () => loadMissing({ ...options, signal }, image, names));
      if (digest !== undefined && (await missing(digest))) return undefined;
      return loadImage(engine, { guard, onEnd, sink, signal });
    },
  };
}

type Loader = LoadTargetOptions & { signal: AbortSignal };

/** Loads what the engine lacks. False when that was not possible: the full archive is needed then. */
async function loadMissing(loader: Loader, digest: string, names: string[]): Promise<boolean> {
  const { client, containerdStore, seen, sink, signal } = loader;
  const inDoubt = (error: unknown): false => {
    if (signal.aborted) throw error;
    debug("differential load failed, sending the full archive: %s", messageOf(error));
    return false;
  };
  const reader = new DocumentReader(client, signal);
  const present = containerdStore ? undefined : await classicImage(loader, reader, digest).catch(inDoubt);
  const content = present ?? (await readImageContent(reader, digest).catch(inDoubt));
  if (!content) return false;
  return await withVertex(sink, "importing to docker", async (vertex) => {
    try {
      if ("config" in content) await nameImage(loader, content, names, vertex);
      else await (containerdStore ? loadIntoContainerd : loadIntoClassic)(loader, content, names, vertex);
      for (const digest of reader.documents.keys()) seen.add(digest);
      return true;
    } catch (error) {
      const loaded = inDoubt(error);
      vertex.progress("sending the whole image instead", { current: 0, done: true });
      return loaded;
    }
  });
}

/** An image that a classic store has. */
interface PresentImage {
  /** Digest of its config: its id there. */
  config: string;
  names: readonly string[];
}

/** The very image, where a classic store has it: nothing but its manifest has to be read then. */
async function classicImage(
  { engine, seen, signal }: Loader,
  reader: DocumentReader,
  digest: string,
): Promise<PresentImage | undefined> {
  const config = await readConfigDigest(reader, digest);
  if (config === undefined) return undefined;
  const image = await engine.images.inspect(config, { signal }).catch(() => undefined);
  if (!image) return undefined;
  // The manifest names it, whose own digest is right.
  seen.add(config);
  return { config, names: (image.RepoTags ?? []).map(completeName) };
}

async function nameImage(
  { engine, signal }: Loader,
  { config, names: known }: PresentImage,
  names: string[],
  vertex: VertexWriter,
): Promise<void> {
  await vertex.status(`image ${shortDigest(config)} already present`, async () => {
    for (const name of names) if (!known.includes(name)) await engine.images.tag(config, name, { signal });
  });
}

/** Loading the archive is all or nothing here: a layer that is missing after all fails it before any name moves. */
async function loadIntoClassic(
  loader: Loader,
  content: ImageContent,
  names: string[],
  vertex: VertexWriter,
): Promise<void> {
  const { client, engine, signal } = loader;
  const [manifest] = content.manifests;
  if (!manifest || content.manifests.length !== 1) throw new Error("the image is an index");
  const held = await classicHoldings(engine, manifest, names, signal);
  await sendArchive(client, engine, { content, names, held, format: "docker" }, vertex, signal);
  await engine.images.inspect(manifest.config.digest, { signal });
}

/**
 * A containerd store takes an archive with missing blobs without a word, and has moved the names by then: so the image goes in under
 * a name of its own, is looked at, and gets its names only when all of it is there.
 */
async function loadIntoContainerd(
  loader: Loader,
  content: ImageContent,
  names: string[],
  vertex: VertexWriter,
): Promise<void> {
  const { client, engine, memory, signal } = loader;
  const available = await containerdHoldings(engine, signal);
  const images = content.manifests.filter(({ diffIds }) => diffIds.length > 0);
  // Without a name of its own the image would go with the temporary one.
  if (names.length === 0) throw new Error("the image has no name");
  if (await hasImage(engine, available, content, signal)) {
    await vertex.status(`image ${shortDigest(content.root.digest)} already present`, async () => {
      for (const name of names) await engine.images.tag(content.root.digest, name, { signal });
    });
    // Another client may have loaded it.
    await remember(memory, content);
    return;
  }
  const held = new Set<string>();
  for (const digest of available)
    for (const { digest: layer } of (await memory.layers(digest)) ?? []) held.add(layer);
  const temporary = `docker.io/library/slipway-load-${randomBytes(8).toString("hex")}:latest`;
  try {
    await sendArchive(client, engine, { content, names: [temporary], held, format: "oci" }, vertex, signal);
    const loaded = await engine.images.inspect(temporary, { signal });
    const now = await containerdHoldings(engine, signal);
    const isWhole = loaded.Id === content.root.digest && images.every(({ digest }) => now.has(digest));
    if (!isWhole) throw new Error("the engine does not have all of the image");
    for (const name of names) await engine.images.tag(temporary, name, { signal });
    await remember(memory, content);
  } finally {
    // Also after a cancel, which an engine that says nothing any more must not make last.
    const patience = signal.aborted ? { milliseconds: tidyMilliseconds } : {};
    await engine.images.remove(temporary, { noPrune: true, ...patience }).catch(() => {});
  }
}

/** So that the next load knows what the engine holds with these manifests. */
async function remember(memory: ManifestMemory, { manifests, documents }: ImageContent): Promise<void> {
  for (const { digest } of manifests) {
    const document = documents.get(digest);
    if (document && !(await memory.layers(digest))) await memory.add(digest, document);
  }
}

async function hasImage(
  engine: EngineClient,
  available: ReadonlySet<string>,
  { root, manifests }: ImageContent,
  signal: AbortSignal,
): Promise<boolean> {
  if (!manifests.every(({ digest, diffIds }) => diffIds.length === 0 || available.has(digest))) return false;
  return engine.images.inspect(root.digest, { signal }).then(
    ({ Id }) => Id === root.digest,
    () => false,
  );
}

async function sendArchive(
  client: BuildkitClient,
  engine: EngineClient,
  archive: Parameters<typeof imageArchive>[1],
  vertex: VertexWriter,
  signal: AbortSignal,
): Promise<void> {
  const layers = archive.content.manifests.flatMap((manifest) => manifest.layers);
  for (const { digest } of layers)
    if (archive.held.has(digest))
      vertex.progress(`layer ${shortDigest(digest)} already present`, { current: 0, done: true });
  let reported = 0;
  const stream = imageArchive(client, archive, {
    signal,
    onProgress({ digest, size }, sent) {
      const now = Date.now();
      if (sent < size && now - reported < 100) return;
      reported = now;
      vertex.progress(`loading layer ${shortDigest(digest)}`, {
        current: sent,
        total: size,
        done: sent >= size,
      });
    },
  });
  await engine.images.load(stream, { signal });
}

function shortDigest(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1, digest.indexOf(":") + 13);
}
