import { once } from "node:events";
import { Readable, type Writable } from "node:stream";
import { pack } from "tar-stream";
import type { BuildkitClient } from "../../buildkit/index.js";
import type { Blob, ImageContent } from "./image-content.js";

/** An archive of an image from which some blobs are left out. */
export interface PartialArchive {
  content: ImageContent;
  /** Names to give the image; complete references. */
  names: readonly string[];
  /** Digests of blobs that the engine holds already. */
  held: ReadonlySet<string>;
  /** `docker`: `manifest.json`, which classic stores read; `oci`: an OCI layout, which containerd stores read. */
  format: "docker" | "oci";
}

/** Progress of an archive. */
export type ArchiveProgress = (blob: Blob, sent: number) => void;

/**
 * Streams an image archive: documents first, then layers as they come from the builder's content store. Nothing of a layer is
 * held in memory beyond the stream's window; a failing blob destroys the stream with its error.
 */
export function imageArchive(
  client: BuildkitClient,
  archive: PartialArchive,
  { signal, onProgress }: { signal?: AbortSignal | undefined; onProgress?: ArchiveProgress } = {},
): Readable {
  const tar = pack();
  void write(tar, client, archive, signal, onProgress).then(
    () => tar.finalize(),
    (error: Error) => tar.destroy(error),
  );
  return Readable.from(tar, {
    objectMode: false,
    highWaterMark: 1 << 20,
  });
}

async function write(
  tar: ReturnType<typeof pack>,
  client: BuildkitClient,
  { content, names, held, format }: PartialArchive,
  signal: AbortSignal | undefined,
  onProgress: ArchiveProgress | undefined,
): Promise<void> {
  const file = (name: string, bytes: Buffer) =>
    new Promise<void>((resolve, reject) => {
      tar.entry({ name, mode: 0o644, mtime: new Date(0) }, bytes, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  if (format === "docker") await file("manifest.json", dockerManifest(content, names));
  else {
    await file("oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
    await file("index.json", ociIndex(content, names));
  }
  for (const [digest, bytes] of content.documents) await file(blobPath(digest), bytes);
  const done = new Set(content.documents.keys());
  for (const layer of content.manifests.flatMap(({ layers }) => layers)) {
    if (done.has(layer.digest) || held.has(layer.digest)) continue;
    done.add(layer.digest);
    // A streamx writable, which behaves as Node's does.
    const entry = tar.entry({
      name: blobPath(layer.digest),
      size: layer.size,
      mode: 0o644,
      mtime: new Date(0),
    }) as unknown as Writable;
    // The archive fails with the same error; without a listener this one would end the process.
    entry.on("error", () => {});
    // An archive that nobody wants any more only closes it; the blob must not stay open for that.
    const closing = new AbortController();
    entry.on("close", () => closing.abort());
    const { signal: closed } = closing;
    const blob = client.openBlob(layer.digest, { signal });
    let sent = 0;
    try {
      for await (const chunk of blob as AsyncIterable<Buffer>) {
        if (!entry.write(chunk)) await once(entry, "drain", { signal: closed });
        sent += chunk.length;
        onProgress?.(layer, sent);
      }
    } catch (error) {
      entry.destroy(error as Error);
      throw error;
    }
    const finished = once(entry, "finish", { signal: closed });
    entry.end();
    await finished;
  }
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(":", "/")}`;
}

/** `manifest.json` of `docker save`: one image with its config and layers as paths. */
function dockerManifest({ manifests }: ImageContent, names: readonly string[]): Buffer {
  const [manifest] = manifests;
  if (!manifest) return Buffer.from("[]");
  return Buffer.from(
    JSON.stringify([
      {
        Config: blobPath(manifest.config.digest),
        // In full: Podman would take a short name for one of its own (`localhost/…`).
        RepoTags: names.length > 0 ? names : null,
        Layers: manifest.layers.map(({ digest }) => blobPath(digest)),
      },
    ]),
  );
}

/** `index.json` of an OCI layout: the root once for each name (containerd reads the image name from an annotation). */
function ociIndex({ root }: ImageContent, names: readonly string[]): Buffer {
  const descriptor = { mediaType: root.mediaType, digest: root.digest, size: root.size };
  const manifests = names.map((name) => ({
    ...descriptor,
    annotations: {
      "io.containerd.image.name": name,
      "org.opencontainers.image.ref.name": name.slice(name.lastIndexOf(":") + 1),
    },
  }));
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: manifests.length > 0 ? manifests : [descriptor],
    }),
  );
}
