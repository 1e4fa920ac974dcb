import { once } from "node:events";
import {
  type ClientStream,
  type HeaderFields,
  type Http2Client,
  MessageDecoder,
  type RequestHeaders,
  frameMessage,
} from "../../src/http2/index.js";

/** How a call ended. `code` is -1 when it ended without a status, e.g. by a reset. */
export interface CallStatus {
  code: number;
  message: string;
  details: Buffer | undefined;
}

/** A gRPC call that a test makes, with all of its messages raw. */
export class GrpcCall {
  readonly stream: ClientStream;
  /** What has been received so far. */
  readonly received: Buffer[] = [];
  /** Resolves when the stream is closed. */
  readonly status: Promise<CallStatus>;
  #wake: () => void = () => {};

  constructor(client: Http2Client, path: string, headers: RequestHeaders = {}) {
    this.stream = client.request({ ":path": path, "content-type": "application/grpc", ...headers });
    // A call is over when its status is here; grpc-go resets what it has not half-closed by then.
    this.stream.on("end", () => this.stream.close());
    const decoder = new MessageDecoder();
    let last: HeaderFields = {};
    this.stream.on("response", (given: HeaderFields) => (last = given));
    this.stream.on("trailers", (given: HeaderFields) => (last = given));
    this.stream.on("error", () => {});
    this.stream.on("data", (chunk: Buffer) => {
      decoder.push(chunk, (message) => this.received.push(Buffer.from(message)));
      this.#wake();
    });
    this.status = once(this.stream, "close").then(() => {
      this.#wake();
      const details = last["grpc-status-details-bin"];
      return {
        code: Number(last["grpc-status"] ?? -1),
        message: decodeURIComponent(last["grpc-message"] ?? ""),
        details: typeof details === "string" ? Buffer.from(details, "base64") : undefined,
      };
    });
  }

  /** Sends a message; resolves when it has gone out. */
  send(message: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.stream.write(frameMessage(message), () => resolve()));
  }

  /** Says that no more messages come. */
  half(): void {
    this.stream.end();
  }

  /** The message with the number `index`, once it has come. */
  async message(index: number): Promise<Buffer> {
    for (;;) {
      const found = this.received[index];
      if (found) return found;
      if (this.stream.closed) throw new Error(`the call ended after ${this.received.length} messages`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
