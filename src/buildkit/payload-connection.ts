import type { Duplex } from "node:stream";
import type { Dial } from "../core/index.js";
import { Http2Client, type Windows } from "../http2/index.js";

/**
 * A connection for sessions only, made when the first is opened, and made anew when it was lost. On a socket of its own a
 * session costs half the processor time, as node:http2 reads and writes it natively; calls cannot go there, since an
 * error's details may be larger than node:http2 takes (see `payload` of {@link Http2Client.connect}).
 */
export class PayloadConnection {
  readonly #dial: Dial;
  readonly #windows: Windows;
  /** The stream of the connection beside this one. */
  readonly #taken: Duplex | undefined;
  #connection: Promise<Http2Client | undefined> | undefined;
  #isSingle = false;
  #closed = false;

  constructor(dial: Dial, windows: Windows, taken?: Duplex) {
    this.#taken = taken;
    this.#dial = dial;
    this.#windows = windows;
  }

  /** The connection; undefined when `dial` has only the stream that is taken. @throws whatever `dial` throws; Http2Error */
  async get(signal?: AbortSignal): Promise<Http2Client | undefined> {
    if (this.#isSingle) return undefined;
    for (;;) {
      const others = this.#connection;
      if (!others) break;
      // Another caller's attempt, which may have ended with its signal.
      const found = await others.catch(() => undefined);
      if (this.#isSingle) return undefined;
      if (found && !found.failure()) return found;
      if (this.#connection === others) this.#connection = undefined;
    }
    this.#connection = this.#connect(signal);
    const made = await this.#connection;
    if (this.#closed) made?.close();
    return made;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    const connection = await this.#connection?.catch(() => undefined);
    connection?.close();
    await connection?.closed;
  }

  async #connect(signal: AbortSignal | undefined): Promise<Http2Client | undefined> {
    const duplex = await this.#dial(signal);
    if (duplex === this.#taken) {
      this.#isSingle = true;
      return undefined;
    }
    return Http2Client.connect(duplex, { windows: this.#windows, payload: true, ...(signal && { signal }) });
  }
}
