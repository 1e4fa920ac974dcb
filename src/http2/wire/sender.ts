import type { Duplex } from "node:stream";
import { defaultWindow, errorCodes, frameFlags, frameTypes, largestWindow } from "./codes.js";
import { type HeaderList, encodeHeaders } from "./header-encoder.js";
import { Output } from "./output.js";
import { ProtocolViolation } from "./protocol-violation.js";
import type { PeerSettings } from "./settings.js";
import type { WireStream } from "./wire-stream.js";

/** Bytes of data in one write: the next is put together while it goes out. */
const batchBytes = 256 * 1024;
/** Bytes on their way above which data waits in its streams. */
const mostPending = 1024 * 1024;
/** Bytes on their way above which a peer that asks for more answers does not read them. */
const mostUnread = 4 * 1024 * 1024;

/** Sends what the streams of a connection have, in turns, within their windows and as fast as the duplex takes it. */
export class Sender {
  readonly #peer: PeerSettings;
  readonly output: Output;
  #window = defaultWindow;
  readonly #ready = new Set<WireStream>();
  #isScheduled = false;

  constructor(duplex: Duplex, peer: PeerSettings) {
    this.#peer = peer;
    this.output = new Output(duplex, () => {
      if (this.#ready.size > 0) this.schedule();
    });
  }

  /** The stream has something to send, or its window has opened. */
  add(stream: WireStream): void {
    this.#ready.add(stream);
    this.schedule();
  }

  remove(stream: WireStream): void {
    this.#ready.delete(stream);
  }

  /** @throws ProtocolViolation */
  addWindow(length: number): void {
    this.#window += length;
    if (this.#window > largestWindow)
      throw new ProtocolViolation("the connection's window is too large", errorCodes.FLOW_CONTROL_ERROR);
    this.schedule();
  }

  /** A frame in answer to one of the peer's. @throws ProtocolViolation when the peer does not read what it asks for */
  answer(type: number, flags: number, stream: number, payload: Buffer): void {
    if (this.output.pending > mostUnread)
      throw new ProtocolViolation("the peer does not read the answers", errorCodes.ENHANCE_YOUR_CALM);
    this.frame(type, flags, stream, payload);
  }

  frame(type: number, flags: number, stream: number, payload: Buffer): void {
    this.output.frame(type, flags, stream, payload);
    this.schedule();
  }

  /** A frame whose payload is a number. */
  number(type: number, stream: number, value: number): void {
    const payload = Buffer.allocUnsafe(4);
    payload.writeUInt32BE(value);
    this.frame(type, 0, stream, payload);
  }

  headers(stream: number, list: HeaderList, endsStream: boolean): void {
    const { frameSize } = this.#peer;
    const block = encodeHeaders(list, this.#peer.isTableAsked);
    this.#peer.isTableAsked = false;
    const end = endsStream ? frameFlags.endStream : 0;
    for (let at = 0; at === 0 || at < block.length; at += frameSize) {
      const fragment = block.subarray(at, at + frameSize);
      const last = at + fragment.length === block.length ? frameFlags.endHeaders : 0;
      if (at === 0) this.output.frame(frameTypes.headers, end | last, stream, fragment);
      else this.output.frame(frameTypes.continuation, last, stream, fragment);
    }
    this.schedule();
  }

  /** In the next turn of the event loop, when all that comes of what has come in is there. */
  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }

  /** Writes all frames, and as much data as may go. */
  flush(): void {
    const { output } = this;
    const limit = Math.min(mostPending, output.pending + batchBytes);
    let moved = true;
    while (moved && output.pending < limit) {
      moved = false;
      for (const stream of [...this.#ready]) {
        if (output.pending >= limit) break;
        moved = this.#send(stream) || moved;
      }
    }
    // With more than that under way, what is written next asks for more.
    if (output.pending >= limit && limit < mostPending) this.schedule();
    output.flush();
  }

  #send(stream: WireStream): boolean {
    if (!stream.isReady) {
      this.#ready.delete(stream);
      return false;
    }
    if (stream.needsWindow && this.#window <= 0) return false;
    this.#window -= stream.sendSome(Math.min(this.#peer.frameSize, this.#window), this.output);
    return true;
  }
}
