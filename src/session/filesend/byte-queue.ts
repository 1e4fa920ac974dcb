const chunkSize = 256 * 1024;

/**
 * Records of bytes, first in first out, packed into chunks: a record costs its bytes and no object. `push` hands out
 * the place to write to, `shift` the place to read from, valid until the next call.
 */
export class ByteQueue {
  /** Records in the queue. */
  length = 0;
  /** Memory held, in bytes. */
  bytes = 0;

  readonly #chunks: Buffer[] = [];
  #readAt = 0;
  #writeAt = 0;
  /** Lengths of records stand before them in 2 bytes; 0xffff sends the reader to the next chunk. */
  static readonly #next = 0xffff;

  /** Appends a record of `size` bytes (below 65,535) and returns where its bytes go. */
  push(size: number): Buffer {
    let chunk = this.#chunks[this.#chunks.length - 1];
    if (!chunk || this.#writeAt + size + 4 > chunk.length) {
      chunk?.writeUInt16LE(ByteQueue.#next, this.#writeAt);
      chunk = Buffer.allocUnsafeSlow(chunkSize);
      this.#chunks.push(chunk);
      this.bytes += chunkSize;
      this.#writeAt = 0;
    }
    const start = this.#writeAt + 2;
    chunk.writeUInt16LE(size, this.#writeAt);
    this.#writeAt = start + size;
    this.length++;
    return chunk.subarray(start, start + size);
  }

  /** The first record, left where it is; undefined when there is none. */
  peek(): Buffer | undefined {
    if (this.length === 0) return undefined;
    let chunk = this.#chunks[0] as Buffer;
    let size = chunk.readUInt16LE(this.#readAt);
    if (size === ByteQueue.#next) {
      this.#chunks.shift();
      this.bytes -= chunkSize;
      this.#readAt = 0;
      chunk = this.#chunks[0] as Buffer;
      size = chunk.readUInt16LE(0);
    }
    return chunk.subarray(this.#readAt + 2, this.#readAt + 2 + size);
  }

  /** Removes the first record. */
  drop(): void {
    const record = this.peek();
    if (!record) return;
    this.#readAt += 2 + record.length;
    this.length--;
    if (this.length === 0) {
      // The one chunk left is filled again from its start.
      this.#chunks.length = Math.min(this.#chunks.length, 1);
      this.bytes = this.#chunks.length * chunkSize;
      this.#readAt = 0;
      this.#writeAt = 0;
    }
  }
}
