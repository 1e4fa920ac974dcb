import type { Duplex } from "node:stream";
import { isSlipwayError, type SlipwayError } from "../../core/index.js";
import { Http2Error } from "../http2-error.js";
import type { Windows } from "../windows.js";
import {
  defaultWindow,
  errorCodes,
  frameFlags,
  frameTypes,
  largestWindow,
  preface,
  settingIds,
} from "./codes.js";
import { FrameReader, type FrameSink } from "./frame-reader.js";
import { type Goaway, encodeGoaway, readGoaway } from "./goaway.js";
import { HeaderBlock, type Headers } from "./header-block.js";
import { HeaderDecoder } from "./header-decoder.js";
import type { HeaderList } from "./header-encoder.js";
import { ResetLimit } from "./limits.js";
import { ProtocolViolation } from "./protocol-violation.js";
import { Sender } from "./sender.js";
import { PeerSettings, encodeSettings } from "./settings.js";
import { StreamTable, maxStreams } from "./stream-table.js";
import type { StreamHandler, WireStream } from "./wire-stream.js";

/** Options of {@link Connection}. */
export interface ConnectionOptions {
  windows: Windows;
  /** Largest list of headers taken for one call, in bytes, and largest block that it comes in. */
  headerBytes: number;
  /** Makes it a server: takes every stream that the peer opens, with its headers, and gives it a handler at once. */
  onStream?: (stream: WireStream, list: string[]) => void;
}

/**
 * One HTTP/2 connection on any duplex, as client or server (RFC 9113), without what gRPC does not need: no push, no
 * priorities, no upgrade. It differs from node:http2 in that it takes header lists of any number of frames, tells why it
 * ended, and costs a start nothing.
 */
export class Connection implements FrameSink {
  /** Resolves with the peer's first settings; stays open when the connection ends before. */
  readonly ready: Promise<void>;
  /** Resolves with the reason when the connection has ended. Never rejects. */
  readonly closed: Promise<SlipwayError>;
  bytesReceived = 0;
  readonly #duplex: Duplex;
  readonly #options: ConnectionOptions;
  readonly #isClient: boolean;
  readonly #sender: Sender;
  readonly #reader = new FrameReader(this);
  readonly #decoder = new HeaderDecoder();
  readonly #resets = new ResetLimit();
  readonly #peer = new PeerSettings();
  readonly #streams: StreamTable;
  #prefaceLeft: number;
  #hasSettings = false;
  #block: HeaderBlock | undefined;
  /** Of the DATA frame that is coming in. */
  #data: { stream: WireStream | undefined; rest: number } = { stream: undefined, rest: 0 };
  #failure: SlipwayError | undefined;
  #goaway: Goaway | undefined;
  #isOver = false;
  #onReady: () => void = () => {};
  #onClosed: (reason: SlipwayError) => void = () => {};

  /** Speaks first, also as a server. The duplex is read until the connection has ended; closing it is the caller's. */
  constructor(duplex: Duplex, options: ConnectionOptions) {
    this.#duplex = duplex;
    this.#options = options;
    this.#isClient = options.onStream === undefined;
    this.#prefaceLeft = this.#isClient ? 0 : preface.length;
    this.#sender = new Sender(duplex, this.#peer);
    this.#streams = new StreamTable({
      isClient: this.#isClient,
      windows: options.windows,
      peer: this.#peer,
      sender: this.#sender,
      onEmpty: () => {
        if (this.#goaway) this.close(this.#goaway.error);
      },
    });
    this.ready = new Promise((resolve) => (this.#onReady = resolve));
    this.closed = new Promise((resolve) => (this.#onClosed = resolve));
    duplex.on("data", (chunk: Buffer) => this.#receive(chunk));
    // Nothing can come of a connection whose peer has nothing more to say.
    duplex.once("end", () => this.#lost());
    duplex.once("close", () => this.#lost());
    duplex.on("error", (error) => this.#lost(error));
    duplex.resume();
    this.#greet();
  }

  /** Why the connection can no longer be used; undefined while it can. */
  failure(): SlipwayError | undefined {
    return this.#failure;
  }

  /** Why no new stream can be opened: the failure, or a GOAWAY that lets the open ones finish. */
  refusal(): SlipwayError | undefined {
    return this.#failure ?? this.#goaway?.error;
  }

  /** Opens a stream as client; when the peer has no room for it, as soon as it has. */
  open(list: HeaderList, handler: StreamHandler): WireStream {
    return this.#streams.open(list, handler);
  }

  /** Asks the peer for a sign of life, which counts as bytes received. */
  ping(): void {
    if (!this.#isOver) this.#sender.frame(frameTypes.ping, 0, 0, Buffer.alloc(8));
  }

  /** Ends all streams and the connection, which says why to the peer. The first reason counts. */
  close(reason: SlipwayError, errorCode: number = errorCodes.NO_ERROR): void {
    if (this.#isOver) return;
    this.#failure ??= reason;
    this.#sender.frame(frameTypes.goaway, 0, 0, encodeGoaway(this.#streams.lastPeerStream, errorCode));
    this.#sender.output.flush();
    this.#end();
  }

  #greet(): void {
    const { windows, headerBytes } = this.#options;
    const { output } = this.#sender;
    if (this.#isClient) output.put(preface);
    const settings = encodeSettings([
      this.#isClient ? [settingIds.enablePush, 0] : [settingIds.maxConcurrentStreams, maxStreams],
      [settingIds.initialWindowSize, windows.stream],
      // grpc-go compares its headers with this before it sends them, and names both sizes in its error.
      [settingIds.maxHeaderListSize, headerBytes],
    ]);
    output.frame(frameTypes.settings, 0, 0, settings);
    const more = windows.connection - defaultWindow;
    if (more > 0) this.#sender.number(frameTypes.windowUpdate, 0, more);
    output.flush();
  }

  #receive(chunk: Buffer): void {
    this.bytesReceived += chunk.length;
    if (this.#isOver) return;
    try {
      this.#reader.push(this.#prefaceLeft > 0 ? this.#withoutPreface(chunk) : chunk);
    } catch (error) {
      this.#broken(error as Error);
    }
  }

  #withoutPreface(chunk: Buffer): Buffer {
    const at = preface.length - this.#prefaceLeft;
    const count = Math.min(this.#prefaceLeft, chunk.length);
    if (!chunk.subarray(0, count).equals(preface.subarray(at, at + count)))
      throw new ProtocolViolation("the peer does not speak HTTP/2");
    this.#prefaceLeft -= count;
    return chunk.subarray(count);
  }

  frame(type: number, flags: number, id: number, payload: Buffer): void {
    if (this.#isOver) return;
    this.#checkOrder(type, id);
    if (type === frameTypes.headers) this.#takeHeaders(flags, id, payload);
    else if (type === frameTypes.continuation) this.#continueHeaders(flags, payload);
    else if (type === frameTypes.windowUpdate) this.#takeWindowUpdate(id, payload);
    else if (type === frameTypes.rstStream) this.#takeReset(id, payload);
    else if (type === frameTypes.settings) this.#takeSettings(flags, payload);
    else if (type === frameTypes.ping) this.#takePing(flags, payload);
    else if (type === frameTypes.goaway) this.#takeGoaway(payload);
    else if (type === frameTypes.pushPromise) throw new ProtocolViolation("a stream was pushed");
    // PRIORITY and what is not known here is left out (RFC 9113, 5.5).
  }

  dataBegin(id: number, length: number): void {
    if (this.#isOver) return;
    this.#checkOrder(frameTypes.data, id);
    this.#streams.announce(length);
    const stream = this.#streams.get(id);
    if (stream?.remoteEnded || (stream && this.#isClient && !stream.hasHeaders))
      throw new ProtocolViolation("data came that nobody can expect", errorCodes.STREAM_CLOSED);
    stream?.receiveWindow.take(length);
    this.#data = { stream, rest: length };
  }

  dataBytes(bytes: Buffer): void {
    const { stream } = this.#data;
    if (this.#isOver || !stream || stream.isClosed) return;
    this.#data.rest -= bytes.length;
    this.#streams.receive(stream, bytes);
  }

  dataEnd(flags: number): void {
    if (this.#isOver) return;
    const { stream, rest } = this.#data;
    // Padding, and the data of a stream that is over.
    if (rest > 0) this.#streams.dropped(stream, rest);
    if (flags & frameFlags.endStream) stream?.receiveEnd();
  }

  /** @throws ProtocolViolation for a frame that cannot come here */
  #checkOrder(type: number, id: number): void {
    if (!this.#hasSettings && type !== frameTypes.settings)
      throw new ProtocolViolation("the first frame is no SETTINGS");
    const continues = type === frameTypes.continuation && this.#block?.stream === id;
    if ((this.#block !== undefined || type === frameTypes.continuation) && !continues)
      throw new ProtocolViolation("headers are cut off by another frame");
    const isOfConnection =
      type === frameTypes.settings || type === frameTypes.ping || type === frameTypes.goaway;
    if (type <= frameTypes.continuation && type !== frameTypes.windowUpdate && isOfConnection !== (id === 0))
      throw new ProtocolViolation(`a frame of type ${type} came for stream ${id}`);
  }

  #takeHeaders(flags: number, id: number, payload: Buffer): void {
    this.#block = new HeaderBlock(id, flags, payload, this.#options.headerBytes);
    if (flags & frameFlags.endHeaders) this.#endHeaders(this.#block);
  }

  #continueHeaders(flags: number, payload: Buffer): void {
    const block = this.#block as HeaderBlock;
    block.continue(payload);
    if (flags & frameFlags.endHeaders) this.#endHeaders(block);
  }

  #endHeaders(block: HeaderBlock): void {
    this.#block = undefined;
    // Also those of streams that are over: they change the table.
    const headers = block.decode(this.#decoder);
    let stream: WireStream | undefined;
    if (this.#streams.isNew(block.stream)) {
      stream = this.#streams.accept(block.stream, headers);
      if (stream) this.#options.onStream?.(stream, headers.list);
    } else {
      stream = this.#streams.get(block.stream);
      if (stream) this.#moreHeaders(stream, headers, block.endsStream);
    }
    if (block.endsStream && stream && !stream.isClosed) stream.receiveEnd();
  }

  #moreHeaders(stream: WireStream, headers: Headers, endsStream: boolean): void {
    // An interim answer (RFC 9113, 8.1).
    const isInterim = this.#isClient && !stream.hasHeaders && /^1\d\d$/.test(headers.list[1] ?? "");
    if (headers.refusal !== undefined) return stream.reset(headers.refusal);
    if (isInterim && !endsStream) return;
    const isFirst = this.#isClient && !stream.hasHeaders;
    if (stream.remoteEnded || (!isFirst && !endsStream)) return stream.reset(errorCodes.PROTOCOL_ERROR);
    this.#streams.hold(stream, headers);
    stream.hasHeaders = true;
    if (isFirst) stream.handler.onHeaders(headers.list);
    else stream.handler.onTrailers(headers.list);
  }

  #takeWindowUpdate(id: number, payload: Buffer): void {
    const length = fixed(payload, 4).readUInt32BE(0) & 0x7fffffff;
    if (id === 0) {
      if (length === 0) throw new ProtocolViolation("a window is opened by nothing");
      return this.#sender.addWindow(length);
    }
    const stream = this.#streams.get(id);
    if (!stream) return;
    stream.sendWindow += length;
    if (length === 0) stream.reset(errorCodes.PROTOCOL_ERROR);
    else if (stream.sendWindow > largestWindow) stream.reset(errorCodes.FLOW_CONTROL_ERROR);
    else this.#sender.add(stream);
  }

  #takeReset(id: number, payload: Buffer): void {
    const code = fixed(payload, 4).readUInt32BE(0);
    if (!this.#isClient) this.#resets.count();
    this.#streams.get(id)?.close(code);
  }

  #takeSettings(flags: number, payload: Buffer): void {
    if (flags & frameFlags.ack) return void fixed(payload, 0);
    const before = this.#peer.initialWindow;
    this.#peer.apply(payload);
    this.#streams.moveWindows(this.#peer.initialWindow - before);
    this.#sender.answer(frameTypes.settings, frameFlags.ack, 0, Buffer.alloc(0));
    this.#hasSettings = true;
    this.#onReady();
    this.#streams.openWaiting();
  }

  #takePing(flags: number, payload: Buffer): void {
    fixed(payload, 8);
    if (!(flags & frameFlags.ack)) this.#sender.answer(frameTypes.ping, frameFlags.ack, 0, payload);
  }

  #takeGoaway(payload: Buffer): void {
    const goaway = readGoaway(payload);
    this.#goaway = goaway;
    if (goaway.errorCode !== errorCodes.NO_ERROR) {
      this.#failure ??= goaway.error;
      return this.#end();
    }
    // A grpc-go client names the last stream that it opened itself, where the last one that we opened belongs
    // (http2_client.go outgoingGoAwayHandler): a server opens none.
    if (this.#isClient) this.#streams.refuseAbove(goaway.lastStream);
    if (this.#streams.size === 0) this.close(goaway.error);
  }

  #broken(error: Error): void {
    if (error instanceof ProtocolViolation) {
      const reason = new Http2Error("HTTP2_PROTOCOL", `HTTP/2 failed: ${error.message}`, {
        cause: error,
        errorCode: error.errorCode,
      });
      this.close(reason, error.errorCode);
    } else if (isSlipwayError(error)) this.close(error, errorCodes.ENHANCE_YOUR_CALM);
    else throw error;
  }

  /** The duplex has ended, with an error or without. */
  #lost(error?: Error): void {
    if (this.#isOver) return;
    // Typed errors of the transport (an exec that ended) say more than we could.
    const lost = error
      ? isSlipwayError(error)
        ? error
        : new Http2Error("HTTP2_LOST", `the connection was lost: ${error.message}`, { cause: error })
      : (this.#goaway?.error ?? new Http2Error("HTTP2_LOST", "the connection was closed by the peer"));
    this.#failure ??= lost;
    this.#end();
  }

  /** Ends all streams, and our direction of the duplex. What the peer still sends is dropped. */
  #end(): void {
    this.#isOver = true;
    this.#streams.end();
    if (!this.#duplex.writableEnded && !this.#duplex.destroyed) this.#duplex.end();
    this.#duplex.resume();
    const reason = this.#failure as SlipwayError;
    // Another turn for what was written last: who is told now destroys the duplex.
    setImmediate(() => setImmediate(() => this.#onClosed(reason)));
  }
}

/** @throws ProtocolViolation when the payload has another length */
function fixed(payload: Buffer, length: number): Buffer {
  if (payload.length !== length)
    throw new ProtocolViolation(
      `a frame has ${payload.length} bytes, not ${length}`,
      errorCodes.FRAME_SIZE_ERROR,
    );
  return payload;
}
