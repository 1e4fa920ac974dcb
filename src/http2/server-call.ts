import type { GrpcStatus } from "./grpc-error.js";

/** Options of {@link ServerCall.messages}. */
export interface MessageOptions {
  /** Largest message taken, in bytes; 16 MiB when not given (what BuildKit itself uses). */
  maxBytes?: number;
}

/** One gRPC call that a peer makes on us, framed by hand: nothing is copied or collected that need not be. */
export interface ServerCall {
  /** `/package.Service/Method` as the peer wrote it; the case of the method is the peer's. */
  readonly path: string;
  /** The first value of a request header, by its lower-case name. */
  header(name: string): string | undefined;
  /** All values of a request header in the order sent; never joined or split. */
  headerValues(name: string): string[];
  /** The lower-case names of all request headers, each once. */
  headerNames(): Iterable<string>;
  /** Aborts when the peer cancels, the connection is lost or closed. Its reason is a SlipwayError. */
  readonly signal: AbortSignal;
  /**
   * The request's messages, whole. The length is checked before anything is allocated (RESOURCE_EXHAUSTED); compressed
   * messages are refused (UNIMPLEMENTED). Throws the signal's reason when the call is cancelled; ends when the peer
   * half-closes. Only what is asked for is read: a slow consumer stops the peer. To be iterated once.
   */
  messages(options?: MessageOptions): AsyncIterable<Buffer>;
  /**
   * The bytes of field 1 of the request's messages (`BytesMessage` and its like), one after the other, as they come
   * in: the chunks are views of what was received and no message is put together. Otherwise as {@link messages}.
   */
  bytesField(): AsyncIterable<Buffer>;
  /**
   * Sends bytes that are framed already (`frameMessage`, or a head followed by its payload); the response headers go
   * out with the first. The buffers must not be changed until {@link drained} resolves. False asks to wait for it.
   * After the call's end it does nothing.
   */
  write(chunks: Uint8Array | readonly Uint8Array[]): boolean;
  /** Resolves when there is room to write again; rejects with the signal's reason when the call ends before. */
  drained(): Promise<void>;
  /** Ends the call with the status (OK when not given) once everything written is out. Further calls do nothing. */
  end(status?: GrpcStatus): void;
  /** Ends the call at once with RST_STREAM CANCEL. */
  reset(): void;
}
