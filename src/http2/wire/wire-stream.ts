import { errorCodes, frameFlags, frameTypes } from "./codes.js";
import type { HeaderList } from "./header-encoder.js";
import type { Output } from "./output.js";
import { ReceiveWindow } from "./receive-window.js";
import { SendQueue } from "./send-queue.js";

/** Takes what comes on a stream. None of them may throw. */
export interface StreamHandler {
  /** The first headers that come after those that opened the stream. */
  onHeaders(list: string[]): void;
  /** The last headers. They come ahead of data that waits since the stream is paused. */
  onTrailers(list: string[]): void;
  /** A view of what was received. Its window is given back when this returns. */
  onData(bytes: Buffer): void;
  /** The peer has ended its direction, and everything was handed over. */
  onEnd(): void;
  /** Our direction is ended: everything written, and the end, is among what goes out. */
  onLocalEnd(): void;
  /** The stream is over, with its error code; nothing comes after, but data and the end that wait since it is paused. */
  onClose(code: number): void;
}

/** What a stream asks of its connection. */
export interface StreamHost {
  sendHeaders(stream: WireStream, list: HeaderList, endsStream: boolean): void;
  /** The stream has something to send. */
  wantsToSend(stream: WireStream): void;
  sendReset(stream: WireStream, code: number): void;
  /** Bytes of the stream were handed over; the peer may send `update` more on it, if that is above 0. */
  consumed(stream: WireStream, length: number, update: number): void;
  /** The stream is over. */
  forget(stream: WireStream): void;
}

/** One stream of a connection, in either role (RFC 9113, 5): its states, its windows and what waits in both directions. */
export class WireStream {
  id: number;
  handler!: StreamHandler;
  /** How much the peer takes. */
  sendWindow: number;
  /** As SETTINGS_MAX_HEADER_LIST_SIZE counts it, of all lists that came. */
  headerBytes = 0;
  /** Its first headers have gone out. */
  isOpen: boolean;
  isClosed = false;
  remoteEnded = false;
  hasHeaders = false;
  readonly receiveWindow: ReceiveWindow;
  readonly #host: StreamHost;
  readonly #queue = new SendQueue();
  #localEnded = false;
  /** What goes out behind the queue. */
  #ending: "nothing" | "end" | HeaderList = "nothing";
  #held: Buffer[] = [];
  #isPaused = false;
  #isDelivering = false;
  #endDelivered = false;

  constructor(
    host: StreamHost,
    options: { id: number; sendWindow: number; receiveWindow: number; isOpen: boolean },
  ) {
    this.#host = host;
    this.id = options.id;
    this.sendWindow = options.sendWindow;
    this.receiveWindow = new ReceiveWindow(options.receiveWindow);
    this.isOpen = options.isOpen;
  }

  sendHeaders(list: HeaderList, endsStream = false): void {
    if (this.isClosed || this.#localEnded) return;
    this.#host.sendHeaders(this, list, endsStream);
    if (endsStream) this.#endLocal();
  }

  /** Queues data. The bytes must not be changed until `onSent`, which is never called when they do not get out. */
  write(list: readonly Buffer[], onSent: () => void): void {
    if (this.isClosed || this.#localEnded || this.#ending !== "nothing") return;
    const last = list.findLastIndex((bytes) => bytes.length > 0);
    if (last < 0) return queueMicrotask(onSent);
    for (const [index, bytes] of list.entries())
      if (bytes.length > 0) this.#queue.push(bytes, index === last ? onSent : undefined);
    this.#host.wantsToSend(this);
  }

  /** Ends our direction behind everything written, with trailers if there are some. */
  end(trailers?: HeaderList): void {
    if (this.isClosed || this.#localEnded || this.#ending !== "nothing") return;
    this.#ending = trailers ?? "end";
    this.#host.wantsToSend(this);
  }

  /** Ends the stream at once; what waits in either direction is dropped. */
  reset(code: number): void {
    if (!this.isClosed) {
      this.#host.sendReset(this, code);
      this.close(code);
    }
    this.#drop();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#deliver();
  }

  /** Whether there is something that can be sent now, but for the connection's window. */
  get isReady(): boolean {
    if (this.isClosed || !this.isOpen) return false;
    return this.needsWindow ? this.sendWindow > 0 : this.#ending !== "nothing";
  }

  /** Whether data is next: an end alone needs no window. */
  get needsWindow(): boolean {
    return this.#queue.length > 0;
  }

  /** Moves a frame of at most `limit` bytes to the output. Returns how much of the windows that takes. */
  sendSome(limit: number, output: Output): number {
    const size = Math.min(limit, this.sendWindow, this.#queue.length);
    const isLast = size === this.#queue.length;
    const endsHere = isLast && this.#ending === "end";
    if (size > 0 || endsHere) {
      output.head(size, frameTypes.data, endsHere ? frameFlags.endStream : 0, this.id);
      this.sendWindow -= size;
      this.#queue.move(size, output);
    }
    if (isLast && typeof this.#ending === "object") this.#host.sendHeaders(this, this.#ending, true);
    if (isLast && this.#ending !== "nothing") this.#endLocal();
    return size;
  }

  /** Data came. */
  receive(bytes: Buffer): void {
    this.#held.push(bytes);
    this.#deliver();
  }

  /** The peer has ended its direction. */
  receiveEnd(): void {
    this.remoteEnded = true;
    this.#deliver();
    if (this.#localEnded) this.close(errorCodes.NO_ERROR);
  }

  /** The stream is over, whoever said so. An answer that is complete is still handed over. */
  close(code: number): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#queue.clear();
    if (!this.remoteEnded) this.#drop();
    this.#host.forget(this);
    this.handler.onClose(code);
  }

  #drop(): void {
    const dropped = this.#held.reduce((sum, bytes) => sum + bytes.length, 0);
    this.#held = [];
    this.#endDelivered = true;
    if (dropped > 0) this.#host.consumed(this, dropped, 0);
  }

  #endLocal(): void {
    this.#localEnded = true;
    this.#ending = "nothing";
    this.handler.onLocalEnd();
    if (this.remoteEnded) this.close(errorCodes.NO_ERROR);
  }

  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    for (let bytes = this.#next(); bytes; bytes = this.#next()) {
      this.handler.onData(bytes);
      this.#host.consumed(this, bytes.length, this.remoteEnded ? 0 : this.receiveWindow.give(bytes.length));
    }
    this.#isDelivering = false;
    if (this.#isPaused || this.#held.length > 0 || !this.remoteEnded || this.#endDelivered) return;
    this.#endDelivered = true;
    this.handler.onEnd();
  }

  #next(): Buffer | undefined {
    return this.#isPaused ? undefined : this.#held.shift();
  }
}
