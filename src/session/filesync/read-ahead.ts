import type { ByteString } from "../../fs/index.js";
import type { AnnouncedFile } from "./announced-files.js";
import type { OpenFile, OpenFileAt } from "./file-reader.js";
import { DataBuffers } from "./data-buffers.js";
import { dataEndRoom, dataHeadLength, dataHeadRoom, writeDataEnd, writeDataHead } from "./packet-encoding.js";

/** Data bytes of one packet; the builder takes up to 16 MiB, of 32 KiB, 256 KiB and 1 MiB this was the fastest. */
const chunkLength = 1024 * 1024;

/** A framed piece of a file. */
export interface FileChunk {
  frame: Buffer;
  /** The whole buffer that the frame is in, to be given back to {@link ReadAhead.buffers} when it was written. */
  buffer: Buffer;
  /** Data bytes in it. */
  length: number;
  last: boolean;
}

/** Reads large files one after the other, on the thread pool, so that reading goes on while data is being sent. */
export class ReadAhead {
  readonly buffers = new DataBuffers(dataHeadRoom + chunkLength + dataEndRoom);
  readonly #open: OpenFileAt;
  readonly #queue: { file: AnnouncedFile; path: ByteString }[] = [];
  #current: { file: AnnouncedFile; left: number; opened: OpenFile } | undefined;
  #closed = false;

  constructor(open: OpenFileAt) {
    this.#open = open;
  }

  /** True when there is more to read. */
  get hasWork(): boolean {
    return this.#current !== undefined || this.#queue.length > 0;
  }

  add(file: AnnouncedFile, path: ByteString): void {
    this.#queue.push({ file, path });
  }

  /** The next piece. Not to be called again before it has resolved. @throws SyncError */
  async next(): Promise<FileChunk | undefined> {
    if (!this.#current) {
      const entry = this.#queue.shift();
      if (!entry) return undefined;
      this.#current = { file: entry.file, left: entry.file.size, opened: this.#open(entry.file, entry.path) };
    }
    const { file, left, opened } = this.#current;
    const length = Math.min(left, chunkLength);
    const buffer = this.buffers.take(dataHeadRoom + length + dataEndRoom);
    try {
      await opened.read(buffer, dataHeadRoom, length);
    } catch (error) {
      this.#finish();
      throw error;
    }
    const last = length === left;
    if (last) {
      try {
        opened.verify();
      } finally {
        this.#finish();
      }
    } else {
      this.#current.left -= length;
    }
    if (this.#closed) this.#finish();
    return { frame: frameData(buffer, file.id, length, last), buffer, length, last };
  }

  /** Gives up: closes the open file as soon as nobody reads it. Calls of {@link next} must not follow. */
  close(reading: boolean): void {
    this.#closed = true;
    this.#queue.length = 0;
    if (!reading) this.#finish();
  }

  #finish(): void {
    this.#current?.opened.close();
    this.#current = undefined;
  }
}

/** Puts the head right before the data, which starts at `dataHeadRoom`, and after a file's last byte its end behind it. */
function frameData(buffer: Buffer, id: number, length: number, last: boolean): Buffer {
  const start = dataHeadRoom - dataHeadLength(id, length);
  writeDataHead(buffer, start, id, length);
  const end = dataHeadRoom + length;
  return buffer.subarray(start, last ? writeDataEnd(buffer, end, id) : end);
}
