import { type Hash, createHash } from "node:crypto";
import { type JsonObject, isJsonObject } from "../../config/index.js";
import { parseJson } from "../../core/index.js";
import { maxManifestBytes, readDescriptor } from "../../registry/index.js";
import { type AskedNames, BuilderClaimError } from "../asked-names.js";
import { type TarEntry, readTarHeader, tarBlock } from "./tar-header.js";

const blobName = /^blobs\/(sha256|sha384|sha512)\/([0-9a-f]+)$/;
const folders = new Set(["blobs", "blobs/sha256", "blobs/sha384", "blobs/sha512"]);
/** Entries of an archive, at most: their names are kept. */
const mostEntries = 100_000;
const documents = new Set(["oci-layout", "index.json", "manifest.json"]);

/**
 * Reads an image archive on its way from the builder to the engine, and lets pass only what an archive of BuildKit's has:
 * blobs by digest, and documents that give the image no name but those asked for. Documents are held back until they have
 * been looked at. Blobs small enough to be a manifest or a config are compared with their digests; the engine does that for
 * layers.
 *
 * An archive that is read in another way elsewhere (long names, links, compression) is refused, not understood.
 */
export class ArchiveGuard {
  readonly #names: AskedNames;
  #header: Buffer = Buffer.alloc(0);
  #entry: TarEntry | undefined;
  /** Bytes of the entry's data, and of its padding, that are to come. */
  #left = 0;
  #padding = 0;
  #held: Buffer[] = [];
  #hash: Hash | undefined;
  #paxSize: number | undefined;
  #ended = false;
  readonly #seen = new Set<string>();
  readonly #verified = new Set<string>();
  /** Digests of the manifest or index that `index.json` names, and of the config that `manifest.json` does. */
  #root: string | undefined;
  #config: string | undefined;

  constructor(names: AskedNames) {
    this.#names = names;
  }

  /**
   * Takes a piece of the archive and gives what may go on to the engine.
   *
   * @throws BuilderClaimError
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const passed: Uint8Array[] = [];
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    while (rest.length > 0) {
      if (this.#ended) {
        // Readers differ in where they stop; nothing but filling may follow.
        if (rest.some((byte) => byte !== 0)) throw refused("goes on behind its end");
        return [...passed, rest];
      }
      if (this.#entry) rest = this.#data(rest, passed);
      else rest = this.#head(rest, passed);
    }
    return passed;
  }

  /**
   * The archive has been read to its end.
   *
   * @returns digests of the documents and small layers that were in it.
   * @throws BuilderClaimError when something is missing.
   */
  end(): ReadonlySet<string> {
    if (this.#entry || this.#header.length > 0) throw refused("ends in the middle of an entry");
    for (const digest of [this.#root, this.#config])
      if (digest !== undefined && !this.#verified.has(digest))
        throw refused(`lacks ${digest}, which it names`);
    return this.#verified;
  }

  #head(bytes: Buffer, passed: Uint8Array[]): Buffer {
    const taken = Math.min(tarBlock - this.#header.length, bytes.length);
    this.#header = Buffer.concat([this.#header, bytes.subarray(0, taken)]);
    if (this.#header.length < tarBlock) return bytes.subarray(taken);
    const header = this.#header;
    this.#header = Buffer.alloc(0);
    const entry = readTarHeader(header);
    if (entry === "end") {
      this.#ended = true;
      passed.push(header);
      return bytes.subarray(taken);
    }
    if (!entry) throw refused("is no plain tar archive");
    this.#begin(entry, header, passed);
    if (this.#left + this.#padding === 0) this.#finish(passed);
    return bytes.subarray(taken);
  }

  #begin(entry: TarEntry, header: Buffer, passed: Uint8Array[]): void {
    const size = (entry.type !== "pax" && this.#paxSize) || entry.size;
    const { name } = entry;
    this.#entry = entry;
    this.#left = size;
    this.#padding = (tarBlock - (size % tarBlock)) % tarBlock;
    if (entry.type !== "pax") {
      this.#paxSize = undefined;
      if (this.#seen.has(name)) throw refused(`has ${JSON.stringify(name)} twice`);
      this.#seen.add(name);
      if (this.#seen.size > mostEntries) throw refused(`has more than ${mostEntries} entries`);
    }
    const isBlob = entry.type === "file" && blobName.exec(name);
    const isKnown =
      entry.type === "pax" ||
      (entry.type === "directory" ? folders.has(name) && size === 0 : documents.has(name) || isBlob);
    if (!isKnown) throw refused(`has an entry ${JSON.stringify(name)}, which no image archive has`);
    if (isBlob || entry.type === "directory") {
      if (isBlob && size <= maxManifestBytes) this.#hash = createHash(isBlob[1] ?? "sha256");
      passed.push(header);
      return;
    }
    if (size > maxManifestBytes) throw refused(`has a ${JSON.stringify(name)} of ${size} bytes`);
    this.#held = [header];
  }

  #data(bytes: Buffer, passed: Uint8Array[]): Buffer {
    const data = bytes.subarray(0, Math.min(this.#left, bytes.length));
    const taken = Math.min(this.#left + this.#padding, bytes.length);
    this.#left -= data.length;
    this.#padding -= taken - data.length;
    this.#hash?.update(data);
    const piece = bytes.subarray(0, taken);
    // What is held outlives its message.
    if (this.#held.length > 0) this.#held.push(Buffer.from(piece));
    else passed.push(piece);
    if (this.#left + this.#padding === 0) this.#finish(passed);
    return bytes.subarray(taken);
  }

  #finish(passed: Uint8Array[]): void {
    const entry = this.#entry;
    this.#entry = undefined;
    if (!entry) return;
    if (this.#hash) {
      const [, algorithm = "", hex = ""] = blobName.exec(entry.name) ?? [];
      if (this.#hash.digest("hex") !== hex) throw refused(`has a blob that is not ${algorithm}:${hex}`);
      this.#verified.add(`${algorithm}:${hex}`);
      this.#hash = undefined;
    }
    if (this.#held.length === 0) return;
    const [, ...pieces] = this.#held;
    const content = Buffer.concat(pieces).subarray(0, entry.size);
    if (entry.type === "pax") this.#paxSize = paxSize(content);
    else if (entry.name === "index.json") this.#checkIndex(parse(content, entry.name));
    else if (entry.name === "manifest.json") this.#checkManifest(parse(content, entry.name));
    passed.push(...this.#held);
    this.#held = [];
  }

  #checkIndex(index: unknown): void {
    const entries = isJsonObject(index) ? index["manifests"] : undefined;
    if (!Array.isArray(entries)) throw refused("has an index.json without manifests");
    for (const entry of entries) {
      const descriptor = readDescriptor(entry);
      if (!descriptor) throw refused("has an index.json with a descriptor that is none");
      if (this.#root !== undefined && this.#root !== descriptor.digest) throw refused("holds several images");
      this.#root = descriptor.digest;
      const { annotations = {} } = descriptor;
      const name = annotations["io.containerd.image.name"];
      const tag = annotations["org.opencontainers.image.ref.name"];
      if (name !== undefined) this.#names.check([name]);
      if (tag !== undefined) this.#names.checkTag(tag);
    }
  }

  #checkManifest(list: unknown): void {
    if (!Array.isArray(list) || list.length > 1)
      throw refused("has a manifest.json that is not of one image");
    for (const image of list as unknown[]) {
      if (!isJsonObject(image)) throw refused("has a manifest.json that is none");
      this.#names.check(textList(image, "RepoTags"));
      const paths = [image["Config"], ...textList(image, "Layers")];
      for (const path of paths)
        if (typeof path !== "string" || !blobName.test(path))
          throw refused("has a manifest.json that names other files than blobs");
      const [, algorithm = "", hex = ""] = blobName.exec(String(image["Config"])) ?? [];
      this.#config = `${algorithm}:${hex}`;
    }
  }
}

function textList(image: JsonObject, field: string): string[] {
  const list = image[field] ?? [];
  if (!Array.isArray(list) || !list.every((text) => typeof text === "string"))
    throw refused(`has a manifest.json whose ${field} is no list`);
  return list;
}

function parse(content: Buffer, name: string): unknown {
  try {
    return parseJson(content.toString("utf8"));
  } catch (error) {
    throw refused(`has a ${name} that is no JSON`, { cause: error });
  }
}

/**
 * The size among records of a pax header, if there is one; blobs above 8 GiB have it there. Records about a file's name would
 * have other readers see another one.
 */
function paxSize(content: Buffer): number | undefined {
  let size: number | undefined;
  for (let at = 0; at < content.length;) {
    const blank = content.indexOf(0x20, at);
    const length = blank < 0 ? 0 : Number(content.toString("latin1", at, blank));
    const record = content.toString("latin1", blank + 1, at + length);
    const match = /^(size|mtime|atime|ctime|uid|gid|uname|gname)=([^\n]*)\n$/.exec(record);
    if (!match || !Number.isSafeInteger(length) || at + length > content.length)
      throw refused("has a pax header that is not understood");
    if (match[1] === "size") {
      if (!/^\d{1,15}$/.test(match[2] ?? "")) throw refused("has an entry without a proper size");
      size = Number(match[2]);
    }
    at += length;
  }
  return size;
}

function refused(why: string, options?: ErrorOptions): BuilderClaimError {
  return new BuilderClaimError(`the builder's image archive was refused: it ${why}`, options);
}
