import { AbortedError } from "../../src/core/index.js";
import type { GrpcStatus, ServerCall } from "../../src/http2/index.js";

/**
 * A gRPC call held in memory, for tests of session services: the test plays the builder. What it sends comes out of
 * `messages()` or `bytesField()`; what the service writes is taken apart into {@link FakeServerCall.sent}.
 */
export class FakeServerCall implements ServerCall {
  readonly path: string;
  /** How the service ended the call; undefined until then. */
  status: GrpcStatus | undefined;
  /** True when the service reset the call. */
  wasReset = false;
  /** Messages that the service has sent, without their frames. */
  readonly sent: Buffer[] = [];
  /** While true, `write` answers false and `drained` waits until it is cleared with {@link release}. */
  congested = false;

  readonly #headers: [string, string][];
  readonly #abort = new AbortController();
  readonly #input: Buffer[] = [];
  #inputEnded = false;
  #tail = Buffer.alloc(0);
  #waiters: (() => void)[] = [];

  constructor(path: string, headers: readonly (readonly [string, string])[] = []) {
    this.path = path;
    this.#headers = headers.map(([name, value]) => [name.toLowerCase(), value]);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  header(name: string): string | undefined {
    return this.headerValues(name)[0];
  }

  headerValues(name: string): string[] {
    return this.#headers.filter(([key]) => key === name).map(([, value]) => value);
  }

  headerNames(): string[] {
    return [...new Set(this.#headers.map(([key]) => key))];
  }

  /** Sends one message to the service. */
  send(message: Uint8Array): void {
    this.#input.push(Buffer.from(message));
    this.#wake();
  }

  /** Half-closes: no more messages come. */
  endInput(): void {
    this.#inputEnded = true;
    this.#wake();
  }

  /** Cancels the call, as the builder or a lost connection would. */
  cancel(reason: Error = new AbortedError("cancelled by the peer")): void {
    this.#abort.abort(reason);
    this.#wake();
  }

  /** Messages sent by the test that the service has not taken yet. */
  get unread(): number {
    return this.#input.length;
  }

  /** Resolves when `condition` holds; it is asked again whenever the service does something with the call. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#change();
  }

  async *messages(): AsyncGenerator<Buffer> {
    for (;;) {
      if (this.signal.aborted) throw this.signal.reason as Error;
      const message = this.#input.shift();
      if (message) {
        this.#wake();
        yield message;
      } else if (this.#inputEnded) return;
      else await this.#change();
    }
  }

  async *bytesField(): AsyncGenerator<Buffer> {
    for await (const message of this.messages()) {
      if (message.length === 0) continue;
      if (message[0] !== 0x0a) throw new Error("the fake reads messages with nothing but field 1");
      let at = 1;
      while ((message[at] as number) > 0x7f) at++;
      yield message.subarray(at + 1);
    }
  }

  write(chunks: Uint8Array | readonly Uint8Array[]): boolean {
    if (this.status || this.wasReset) return true;
    this.#tail = Buffer.concat([this.#tail, ...(chunks instanceof Uint8Array ? [chunks] : chunks)]);
    while (this.#tail.length >= 5) {
      const length = this.#tail.readUInt32BE(1);
      if (this.#tail.length < 5 + length) break;
      this.sent.push(this.#tail.subarray(5, 5 + length));
      this.#tail = this.#tail.subarray(5 + length);
    }
    this.#wake();
    return !this.congested;
  }

  async drained(): Promise<void> {
    while (this.congested) {
      if (this.signal.aborted) throw this.signal.reason as Error;
      await this.#change();
    }
  }

  /** Lets writers go on. */
  release(): void {
    this.congested = false;
    this.#wake();
  }

  end(status: GrpcStatus = { code: 0 }): void {
    this.status ??= status;
    this.#wake();
  }

  reset(): void {
    this.wasReset = true;
    this.#wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }
}

/** A serialised `BytesMessage{data=1}`. */
export function bytesMessage(data: Uint8Array): Buffer {
  const length: number[] = [0x0a];
  let rest = data.length;
  while (rest > 0x7f) {
    length.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  length.push(rest);
  return Buffer.concat([Buffer.from(length), data]);
}
