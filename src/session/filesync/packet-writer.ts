import type { WalkEntry } from "../../fs/index.js";
import { type ServerCall, frameMessage } from "../../http2/index.js";
import { DataBuffers } from "./data-buffers.js";
import {
  dataEndRoom,
  dataHeadRoom,
  statOverhead,
  writeDataEnd,
  writeDataHead,
  writeEndOfListing,
  writeStat,
} from "./packet-encoding.js";

/** Bytes of packets that are collected into one write. */
const batchLength = 256 * 1024;

/** A file whose data goes into a batch. */
export interface SmallFile {
  id: number;
  size: number;
  /** Fills `size` bytes of the target, or throws: then nothing of the file is sent. */
  fill: (target: Buffer, at: number) => void;
}

/** Collects packets of many files into few large writes: the frame heads stand between the data they belong to. */
export class PacketWriter {
  readonly #call: ServerCall;
  readonly #buffers = new DataBuffers(batchLength);
  /** The buffer that is being filled, and what is left of it. */
  #buffer: Buffer | undefined;
  #batch: Buffer | undefined;
  #used = 0;
  #full = false;
  #written = 0;

  constructor(call: ServerCall) {
    this.#call = call;
  }

  /** True when the peer takes no more for now: {@link settle} before writing on. */
  get isFull(): boolean {
    return this.#full;
  }

  /** Bytes handed over so far. */
  get written(): number {
    return this.#written;
  }

  stat(entry: WalkEntry): void {
    const batch = this.#room(entry.path.length + entry.linkname.length + statOverhead);
    this.#used = writeStat(batch, this.#used, entry);
  }

  endOfListing(): void {
    this.#used = writeEndOfListing(this.#room(statOverhead), this.#used);
  }

  /** Writes a file whole: its data, if it has any, and its end. */
  smallFile({ id, size, fill }: SmallFile): void {
    const batch = this.#room(size + dataHeadRoom + dataEndRoom);
    let at = this.#used;
    if (size > 0) {
      const data = writeDataHead(batch, at, id, size);
      fill(batch, data);
      at = data + size;
    }
    this.#used = writeDataEnd(batch, at, id);
  }

  /** Writes bytes that are framed already, behind what was collected. */
  framed(bytes: Buffer): void {
    this.flush();
    this.#write(bytes);
  }

  /** Writes one small packet. */
  packet(payload: Uint8Array): void {
    this.framed(frameMessage(payload));
  }

  /** Hands over what was collected. */
  flush(): void {
    const batch = this.#batch;
    if (!batch || this.#used === 0) return;
    const rest = batch.length - this.#used;
    this.#write(batch.subarray(0, this.#used));
    // What is left of a batch is as good as a new one.
    this.#batch = batch.subarray(this.#used);
    this.#used = 0;
    if (rest < batchLength / 4) this.#endBatch();
  }

  /** Hands over what was collected and waits until there is room for more. Rejects when the call has ended. */
  async settle(): Promise<void> {
    this.flush();
    if (this.#full) {
      await this.#call.drained();
      this.#full = false;
    }
    this.#buffers.settled(this.#written);
  }

  #room(length: number): Buffer {
    if (this.#batch && this.#batch.length - this.#used < length) this.flush();
    if (this.#batch && this.#batch.length < length) this.#endBatch();
    return (this.#batch ??= this.#buffer = this.#buffers.take(Math.max(batchLength, length)));
  }

  /** The batch was written, and nothing more fits into its buffer. */
  #endBatch(): void {
    if (this.#buffer) this.#buffers.giveBack(this.#buffer, this.#written);
    this.#batch = undefined;
    this.#buffer = undefined;
  }

  #write(bytes: Buffer): void {
    this.#written += bytes.length;
    if (!this.#call.write(bytes)) this.#full = true;
  }
}
