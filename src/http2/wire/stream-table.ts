import type { Windows } from "../windows.js";
import { errorCodes, frameTypes, largestWindow } from "./codes.js";
import type { Headers } from "./header-block.js";
import type { HeaderList } from "./header-encoder.js";
import { HeaderBudget } from "./limits.js";
import { ProtocolViolation } from "./protocol-violation.js";
import { ReceiveWindow } from "./receive-window.js";
import type { Sender } from "./sender.js";
import type { PeerSettings } from "./settings.js";
import { type StreamHandler, type StreamHost, WireStream } from "./wire-stream.js";

/** Streams that a peer may have open with us at once. */
export const maxStreams = 1000;
/** Bytes that paused streams hold together, at most; then the connection's window stays closed until some are read. */
const mostHeld = 64 * 1024 * 1024;

/** Options of {@link StreamTable}. */
export interface StreamTableOptions {
  isClient: boolean;
  windows: Windows;
  /** What the peer's settings say. */
  peer: PeerSettings;
  sender: Sender;
  /** The last stream is over. */
  onEmpty: () => void;
}

/** The streams of a connection, those that wait for the peer to have room, and what all of them share. */
export class StreamTable implements StreamHost {
  /** Of the last stream that the peer opened. */
  lastPeerStream = 0;
  readonly #options: StreamTableOptions;
  readonly #sender: Sender;
  readonly #streams = new Map<number, WireStream>();
  readonly #waiting: { stream: WireStream; list: HeaderList }[] = [];
  readonly #budget = new HeaderBudget();
  readonly #window: ReceiveWindow;
  #heldBytes = 0;
  /** Bytes that came, for which the connection's window was not opened again. */
  #owed = 0;
  #nextStream = 1;
  /** The connection sends nothing any more. */
  #isOver = false;

  constructor(options: StreamTableOptions) {
    this.#options = options;
    this.#sender = options.sender;
    this.#window = new ReceiveWindow(options.windows.connection);
  }

  get size(): number {
    return this.#streams.size;
  }

  /** An open stream. @throws ProtocolViolation for one that was never opened */
  get(id: number): WireStream | undefined {
    const stream = this.#streams.get(id);
    if (stream) return stream;
    const isOurs = id % 2 === 1 && this.#options.isClient;
    if (isOurs ? id >= this.#nextStream : id > this.lastPeerStream)
      throw new ProtocolViolation(`stream ${id} was never opened`);
    return undefined;
  }

  /** Opens a stream as client, as soon as the peer has room for it. */
  open(list: HeaderList, handler: StreamHandler): WireStream {
    const stream = this.#make(0);
    stream.handler = handler;
    this.#waiting.push({ stream, list });
    this.openWaiting();
    return stream;
  }

  /** The peer may have room. */
  openWaiting(): void {
    while (!this.#isOver && this.#waiting.length > 0 && this.size < this.#options.peer.maxStreams) {
      const { stream, list } = this.#waiting.shift() as { stream: WireStream; list: HeaderList };
      if (stream.isClosed) continue;
      stream.id = this.#nextStream;
      this.#nextStream += 2;
      stream.sendWindow = this.#options.peer.initialWindow;
      stream.isOpen = true;
      this.#streams.set(stream.id, stream);
      this.#sender.headers(stream.id, list, false);
      this.#sender.add(stream);
    }
  }

  /** Whether these are the headers of a stream that the peer opens. */
  isNew(id: number): boolean {
    return !this.#options.isClient && id % 2 === 1 && id > this.lastPeerStream;
  }

  /** Takes a stream that the peer opens, which then needs a handler; undefined when it was refused. */
  accept(id: number, headers: Headers): WireStream | undefined {
    this.lastPeerStream = id;
    const stream = this.#make(id);
    const refusal = headers.refusal ?? (this.size >= maxStreams ? errorCodes.REFUSED_STREAM : undefined);
    if (refusal !== undefined) {
      this.sendReset(stream, refusal);
      return undefined;
    }
    this.hold(stream, headers);
    this.#streams.set(id, stream);
    return stream;
  }

  /** Counts headers until their stream is over. @throws GrpcError RESOURCE_EXHAUSTED when all hold too much */
  hold(stream: WireStream, headers: Headers): void {
    stream.headerBytes += headers.bytes;
    this.#budget.take(headers.bytes);
  }

  /** The peer's windows of new streams have grown by so much, or shrunk: those of open ones do as well. */
  moveWindows(more: number): void {
    for (const stream of this.#streams.values()) {
      stream.sendWindow += more;
      if (stream.sendWindow > largestWindow)
        throw new ProtocolViolation("a window is too large", errorCodes.FLOW_CONTROL_ERROR);
      if (more > 0) this.#sender.add(stream);
    }
  }

  /** Data comes, or its padding. @throws ProtocolViolation when that is more than the connection's window */
  announce(length: number): void {
    this.#window.take(length);
  }

  /** Data has come for a stream. */
  receive(stream: WireStream, bytes: Buffer): void {
    this.#heldBytes += bytes.length;
    this.#owed += bytes.length;
    stream.receive(bytes);
    this.#openWindow();
  }

  /** Bytes have come that nobody reads: padding, or data of a stream that is over. */
  dropped(stream: WireStream | undefined, length: number): void {
    this.#owed += length;
    this.#openWindow();
    if (stream && !stream.isClosed) this.#updateWindow(stream.id, stream.receiveWindow.give(length));
  }

  /** Streams above that number were not looked at, and those that wait will not be. */
  refuseAbove(last: number): void {
    for (const stream of [...this.#streams.values()])
      if (stream.id > last) stream.close(errorCodes.REFUSED_STREAM);
    this.#closeWaiting(errorCodes.REFUSED_STREAM);
  }

  /** Ends all streams, with the connection. */
  end(): void {
    this.#isOver = true;
    for (const stream of [...this.#streams.values()]) stream.close(errorCodes.CANCEL);
    this.#closeWaiting(errorCodes.CANCEL);
  }

  sendHeaders(stream: WireStream, list: HeaderList, endsStream: boolean): void {
    if (!this.#isOver) this.#sender.headers(stream.id, list, endsStream);
  }

  wantsToSend(stream: WireStream): void {
    if (stream.isOpen) this.#sender.add(stream);
  }

  sendReset(stream: WireStream, code: number): void {
    if (stream.isOpen && !this.#isOver) this.#sender.number(frameTypes.rstStream, stream.id, code);
  }

  consumed(stream: WireStream, length: number, update: number): void {
    this.#heldBytes -= length;
    this.#updateWindow(stream.id, update);
    this.#openWindow();
  }

  forget(stream: WireStream): void {
    this.#sender.remove(stream);
    this.#budget.give(stream.headerBytes);
    if (this.#streams.get(stream.id) === stream) this.#streams.delete(stream.id);
    this.openWaiting();
    if (this.size === 0) this.#options.onEmpty();
  }

  #closeWaiting(code: number): void {
    for (const { stream } of this.#waiting.splice(0)) stream.close(code);
  }

  #make(id: number): WireStream {
    return new WireStream(this, {
      id,
      sendWindow: this.#options.peer.initialWindow,
      receiveWindow: this.#options.windows.stream,
      isOpen: id !== 0,
    });
  }

  /**
   * Lets the peer send more on the connection: also what paused streams hold counts as taken, so that none of them stops the
   * others, as long as they do not hold too much together.
   */
  #openWindow(): void {
    if (this.#owed === 0 || this.#heldBytes > mostHeld) return;
    const more = this.#window.give(this.#owed);
    this.#owed = 0;
    this.#updateWindow(0, more);
  }

  #updateWindow(id: number, more: number): void {
    if (more > 0 && !this.#isOver) this.#sender.number(frameTypes.windowUpdate, id, more);
  }
}
