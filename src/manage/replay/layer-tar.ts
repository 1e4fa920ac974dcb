import { trimTrailing } from "../../core/index.js";
import { RegistryError } from "../../registry/index.js";

/** An entry of a layer's archive; the content goes to whoever reads it. Texts are a character a byte, since not all are UTF-8. */
export interface LayerEntry {
  /** Without slashes at both ends. */
  path: string;
  type: "file" | "link" | "symlink" | "character device" | "block device" | "directory" | "pipe" | "other";
  mode: number;
  /** `uid:gid` */
  owner: string;
  /** Seconds since 1970, with what an extended header says behind the point. */
  time: string;
  size: number;
  /** What a link leads to. */
  link: string;
  /** `major:minor` of a device. */
  device: string;
  xattrs: ReadonlyMap<string, string>;
}

const block = 512;
/** Bytes of an extended header, at most. */
const longestHeader = 1 << 20;

const types: Readonly<Record<string, LayerEntry["type"]>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "1": "link",
  "2": "symlink",
  "3": "character device",
  "4": "block device",
  "5": "directory",
  "6": "pipe",
};
/** These have content, also those of a kind that is not known. Others have none, though older tars say a size of links. */
const withContent: ReadonlySet<LayerEntry["type"]> = new Set(["file", "other"]);

/**
 * Reads a layer's archive (POSIX pax, GNU long names), entry by entry; `onContent` gets the bytes of the entry that comes next. What is
 * held at a time is bounded, whatever the archive says.
 *
 * tar-stream's `extract()` would not do: it reads extended attributes as UTF-8, so that two sets of capabilities look the same, takes
 * the size of a link for content, and goes on behind the end.
 *
 * @throws RegistryError for what is no archive
 */
export async function* readLayerTar(
  source: AsyncIterable<Uint8Array>,
  what: string,
  onContent: (chunk: Uint8Array) => void,
): AsyncGenerator<LayerEntry, void, undefined> {
  const reader = new BlockReader(source, what);
  let pax = new Map<string, string>();
  try {
    for (let head = await reader.head(); head; head = await reader.head()) {
      const kind = String.fromCharCode(head[156] ?? 0);
      if (kind === "x" || kind === "g") {
        const records = paxRecords(await reader.text(numberIn(head, 124, 12)));
        // A global header says nothing of single files that BuildKit would write.
        if (kind === "x") pax = records;
        continue;
      }
      if (kind === "L" || kind === "K") {
        const name = (await reader.text(numberIn(head, 124, 12))).toString("latin1").replace(/\0.*$/s, "");
        pax.set(kind === "L" ? "path" : "linkpath", name);
        continue;
      }
      const size = Number(pax.get("size") ?? numberIn(head, 124, 12));
      if (!isSize(size)) throw reader.broken("an entry of no size");
      const entry = entryOf(head, { kind, size, pax });
      await reader.content(entry.size, onContent);
      pax = new Map();
      yield entry;
    }
  } finally {
    await reader.close();
  }
}

function entryOf(
  head: Buffer,
  { kind, size, pax }: { kind: string; size: number; pax: ReadonlyMap<string, string> },
): LayerEntry {
  const prefix = head.toString("latin1", 257, 262) === "ustar" ? textIn(head, 345, 155) : "";
  const name = textIn(head, 0, 100);
  const path = pax.get("path") ?? (prefix === "" ? name : `${prefix}/${name}`);
  const type = types[kind] ?? "other";
  const isDevice = type === "character device" || type === "block device";
  const xattrs = new Map(
    [...pax].flatMap(([key, value]): [string, string][] =>
      key.startsWith("SCHILY.xattr.") ? [[key.slice("SCHILY.xattr.".length), value]] : [],
    ),
  );
  return {
    path: trimTrailing(path.replace(/^(?:\.?\/)+/, ""), "/"),
    type,
    mode: numberIn(head, 100, 8) & 0o7777,
    owner: `${pax.get("uid") ?? numberIn(head, 108, 8)}:${pax.get("gid") ?? numberIn(head, 116, 8)}`,
    time: pax.get("mtime") ?? String(numberIn(head, 136, 12)),
    size: withContent.has(type) ? size : 0,
    link: pax.get("linkpath") ?? textIn(head, 157, 100),
    device: isDevice ? `${numberIn(head, 329, 8)}:${numberIn(head, 337, 8)}` : "",
    xattrs,
  };
}

/** Octal, or a number in base 256 (GNU). */
function numberIn(head: Buffer, at: number, length: number): number {
  const field = head.subarray(at, at + length);
  if (((field[0] ?? 0) & 0x80) !== 0) {
    let value = BigInt((field[0] ?? 0) & 0x7f);
    for (const byte of field.subarray(1)) value = (value << 8n) | BigInt(byte);
    return Number(value);
  }
  const text = field.toString("latin1").replaceAll("\0", " ").trim();
  return text === "" ? 0 : Number.parseInt(text, 8);
}

function textIn(head: Buffer, at: number, length: number): string {
  return head.toString("latin1", at, at + length).replace(/\0.*$/s, "");
}

/** `length key=value\n`, one after another. */
function paxRecords(bytes: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number.parseInt(bytes.toString("latin1", at, space), 10);
    if (!(length > 0)) break;
    const record = bytes.toString("latin1", space + 1, at + length - 1);
    const equals = record.indexOf("=");
    if (equals > 0) records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

/** Blocks out of chunks of any size. */
class BlockReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #what: string;
  #left: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>, what: string) {
    this.#chunks = source[Symbol.asyncIterator]();
    this.#what = what;
  }

  broken(why: string): RegistryError {
    return new RegistryError("REGISTRY_PROTOCOL", `the layer ${this.#what} is no tar archive: it has ${why}`);
  }

  /** The next header; undefined at the end. */
  async head(): Promise<Buffer | undefined> {
    const head = await this.#take(block, { mayEnd: true });
    if (!head) return undefined;
    if (head.every((byte) => byte === 0)) {
      // Nothing but padding follows; the end of what is packed must be read for its checksum.
      while (await this.#next());
      return undefined;
    }
    let sum = 0;
    for (const [index, byte] of head.entries()) sum += index >= 148 && index < 156 ? 0x20 : byte;
    if (sum !== numberIn(head, 148, 8)) throw this.broken("a header with a wrong checksum");
    return head;
  }

  /** A header's own content. */
  async text(size: number): Promise<Buffer> {
    if (!isSize(size) || size > longestHeader) throw this.broken("an extended header that is too long");
    const content = await this.#take(size);
    await this.#take(padding(size));
    return content ?? Buffer.alloc(0);
  }

  async content(size: number, onContent: (chunk: Uint8Array) => void): Promise<void> {
    for (let left = size; left > 0;) {
      if (this.#left.length === 0 && !(await this.#next())) throw this.broken("no end");
      const part = this.#left.subarray(0, left);
      onContent(part);
      this.#left = this.#left.subarray(part.length);
      left -= part.length;
    }
    await this.#take(padding(size));
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #take(size: number, { mayEnd = false } = {}): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    for (let left = size; left > 0;) {
      if (this.#left.length === 0 && !(await this.#next())) {
        if (mayEnd && left === size) return undefined;
        throw this.broken("no end");
      }
      const part = this.#left.subarray(0, left);
      parts.push(part);
      this.#left = this.#left.subarray(part.length);
      left -= part.length;
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  }

  async #next(): Promise<boolean> {
    const { done, value } = await this.#chunks.next();
    if (done) return false;
    this.#left = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return true;
  }
}

function isSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0;
}

function padding(size: number): number {
  return (block - (size % block)) % block;
}
