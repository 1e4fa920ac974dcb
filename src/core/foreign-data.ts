import type { Blob } from "node:buffer";
import { Readable, Writable } from "node:stream";
import type { ReadableStream, WritableStream } from "node:stream/web";
import { types } from "node:util";

/** Bytes in every form that a program may hold at once. */
export type Bytes = Uint8Array | ArrayBuffer | NodeJS.ArrayBufferView;

/** A stream of another package that has the methods of Node's, such as tar-stream's `pack()`. */
export interface ForeignReadable extends AsyncIterable<unknown> {
  pipe: (...given: never[]) => unknown;
  on: (...given: never[]) => unknown;
}

/** What bytes can be read from, once: a stream of Node or of the web, or anything that gives chunks one by one. */
export type ByteSource = Readable | ReadableStream | AsyncIterable<Uint8Array | string> | ForeignReadable;

/**
 * The bytes of a text (as UTF-8) or of a view or buffer of any realm, without a copy; undefined for anything else. Tests by
 * `instanceof` miss those of other realms: jsdom's, those of a test runner.
 */
export function bytesOf(value: unknown): Uint8Array | undefined {
  if (typeof value === "string") return Buffer.from(value);
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return types.isAnyArrayBuffer(value) ? Buffer.from(value) : undefined;
}

/** True for a Blob or File, whoever made it; a Response is none. */
export function isBlob(value: unknown): value is Blob {
  const { arrayBuffer, size, slice } = fieldsOf(value);
  return typeof arrayBuffer === "function" && typeof size === "number" && typeof slice === "function";
}

/** What {@link readableOf} takes. */
export function isByteSource(value: unknown): value is ByteSource {
  if (typeof value !== "object" || value === null) return false;
  // A stream that can only be written has `pipe` as well.
  return (
    typeof fieldsOf(value)["getReader"] === "function" ||
    isNodeReadable(value) ||
    (Symbol.asyncIterator in value && !ArrayBuffer.isView(value))
  );
}

/** A source of bytes as Node's stream; one that is one stays what it is. */
export function readableOf(source: ByteSource | Blob): Readable {
  if (source instanceof Readable) return source;
  if (isBlob(source)) return readableOf(source.stream());
  if (isNodeReadable(source)) return source;
  if ("getReader" in source) {
    try {
      return Readable.fromWeb(source);
    } catch (error) {
      // One that is taken already is refused with its reason; one of another library is read by its own methods.
      if (source.locked) throw error;
      return Readable.from(chunksOf(source), { objectMode: false });
    }
  }
  return Readable.from(source, { objectMode: false });
}

/** What {@link writableOf} takes. */
export function isByteTarget(value: unknown): value is Writable | WritableStream {
  const { getWriter, write, end, on } = fieldsOf(value);
  return (
    typeof getWriter === "function" ||
    (typeof write === "function" && typeof end === "function" && typeof on === "function")
  );
}

/** A target of bytes as Node's stream; one that is one stays what it is. @throws TypeError for a web stream that is locked. */
export function writableOf(target: Writable | WritableStream): Writable {
  return "getWriter" in target ? Writable.fromWeb(target) : target;
}

/** Of another copy of Node's streams (readable-stream, streamx), which have the same methods. */
function isNodeReadable(source: object): source is Readable {
  return "_readableState" in source && "read" in source && "destroy" in source;
}

async function* chunksOf(stream: ReadableStream): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = (await reader.read()) as { done: boolean; value?: unknown };
      if (done) return;
      const bytes = bytesOf(value);
      if (!bytes) throw new TypeError("a stream gave a chunk that is neither a text nor bytes");
      yield bytes;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
