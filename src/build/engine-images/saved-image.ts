import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join, posix } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { isJsonObject } from "../../config/index.js";
import { SlipwayError, holdStream, parseJson } from "../../core/index.js";
import { makeDirectory } from "../../fs/index.js";

/** Largest document read into memory, in bytes (SEC-34). */
const largestDocument = 4 << 20;
/** Files in an archive, at most. */
const mostEntries = 10_000;

/** A file of the archive, kept under its digest. */
interface SavedFile {
  digest: string;
  size: number;
}

/**
 * Unpacks what an engine saves of one image into `<dir>/blobs/sha256`, every file under its own digest, and gives the
 * digest of its manifest or index. Takes an OCI layout (containerd stores, and classic ones since 25.0) as well as the older
 * archive with `manifest.json`, for which a manifest is made. Names in the archive are never used as paths.
 *
 * @param hint digest of the manifest that is wanted, where the engine knows it.
 * @throws SlipwayError ENGINE_IMAGE when the archive holds no image.
 */
export async function unpackSavedImage(archive: Readable, dir: string, hint: string): Promise<string> {
  // It may break before it is read.
  holdStream(archive);
  const blobs = join(dir, "blobs/sha256");
  await makeDirectory(blobs, 0o700);
  const { files, links } = await storeEntries(archive, blobs);
  const find = (name: string): SavedFile | undefined => {
    let path = posix.normalize(name);
    for (let step = 0; step < 16; step++) {
      const target = links.get(path);
      if (target === undefined) return files.get(path);
      path = target;
    }
    return undefined;
  };
  const document = async (name: string): Promise<unknown> => {
    const file = find(name);
    if (!file) return undefined;
    if (file.size > largestDocument) throw invalid(`${name} is larger than ${largestDocument} bytes`);
    const text = await readFile(join(blobs, file.digest.slice(7)), "utf8");
    try {
      return parseJson(text);
    } catch (error) {
      throw invalid(`${name} is no JSON`, error);
    }
  };
  const index = await document("index.json");
  if (isJsonObject(index)) {
    const digests = listOf(index["manifests"]).flatMap((entry) =>
      isJsonObject(entry) && typeof entry["digest"] === "string" ? [entry["digest"]] : [],
    );
    const known = new Set([...files.values()].map(({ digest }) => digest));
    const digest = digests.find((each) => each === hint) ?? digests[0];
    if (digest === undefined || !known.has(digest)) throw invalid("its index.json names no manifest in it");
    return digest;
  }
  const manifests = await document("manifest.json");
  const [image] = listOf(manifests);
  if (!isJsonObject(image)) throw invalid("it has neither index.json nor manifest.json");
  const required = (name: unknown): SavedFile => {
    const file = typeof name === "string" ? find(name) : undefined;
    if (!file) throw invalid(`its manifest.json names ${JSON.stringify(name)}, which is not in it`);
    return file;
  };
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...required(image["Config"]) },
    layers: listOf(image["Layers"]).map((name) => ({
      mediaType: "application/vnd.oci.image.layer.v1.tar",
      ...required(name),
    })),
  });
  const hex = createHash("sha256").update(manifest).digest("hex");
  await writeFile(join(blobs, hex), manifest);
  return `sha256:${hex}`;
}

async function storeEntries(archive: Readable, blobs: string) {
  const files = new Map<string, SavedFile>();
  const links = new Map<string, string>();
  const entries = extract();
  const feeding = pipeline(archive, entries);
  feeding.catch(() => {}); // the loop throws the same
  let count = 0;
  for await (const entry of entries) {
    if (++count > mostEntries) throw invalid(`it has more than ${mostEntries} files`);
    const { name, type, linkname } = entry.header;
    const path = posix.normalize(name);
    if (type === "file") {
      const hash = createHash("sha256");
      let size = 0;
      const temporary = join(blobs, `.${count}`);
      await pipeline(
        entry as unknown as Readable,
        async function* (source: AsyncIterable<Buffer>) {
          for await (const chunk of source) {
            hash.update(chunk);
            size += chunk.length;
            yield chunk;
          }
        },
        createWriteStream(temporary, { mode: 0o600, flags: "wx" }),
      );
      const hex = hash.digest("hex");
      await rename(temporary, join(blobs, hex));
      files.set(path, { digest: `sha256:${hex}`, size });
      continue;
    }
    // Before 25.0 a layer that comes twice is a link to where it came first.
    if (type === "symlink" && linkname) links.set(path, posix.join(posix.dirname(path), linkname));
    else if (type === "link" && linkname) links.set(path, posix.normalize(linkname));
    entry.resume();
  }
  await feeding;
  return { files, links };
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function invalid(why: string, cause?: unknown): SlipwayError {
  const message = `the archive that the engine saved holds no usable image: ${why}`;
  return new SlipwayError("ENGINE_IMAGE", message, { cause });
}
