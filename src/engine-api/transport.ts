import type { Duplex, Readable } from "node:stream";
import { type Dial, allowListeners, linkSignal, messageOf, parseJson, untilAborted } from "../core/index.js";
import { negotiateApiVersion } from "./api-version.js";
import { collect } from "./collect.js";
import { EngineError, statusError } from "./errors.js";
import { type Answer, type Exchange, type Headers, exchange } from "./exchange.js";
import { Pool } from "./http1/index.js";
import { refusalText } from "./refusal-text.js";
import { UploadFeed, type UploadSource } from "./upload-feed.js";

const defaultMilliseconds = 30_000;
/** AuthZ plug-ins do not see larger bodies (CVE-2026-34040); what is large goes in as an archive (SEC-37). */
const maxRequestJsonBytes = 1024 * 1024;

/** Options that every call to an engine takes. */
export interface CallOptions {
  /** Ends the call, and a stream that it returned. */
  signal?: AbortSignal | undefined;
  /** Deadline for the answer to begin, in milliseconds; 0 is none. Default 30,000 unless the method says otherwise. */
  milliseconds?: number | undefined;
}

/** One call of the engine's API. */
export interface Call extends CallOptions {
  method: Exchange["method"];
  /** Without version prefix; made of checked segments only. */
  path: string;
  /** A list is given once for each of its values. */
  query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  /** Sent as JSON. */
  json?: unknown;
  headers?: Readonly<Record<string, string>>;
  /** Leave out the version prefix, and with it the negotiation. */
  unversioned?: boolean;
}

/** An accepted call, its body still to be read. */
export interface Opened {
  status: number;
  headers: Headers;
  body: Readable;
  /** As sent, for errors. */
  request: { method: string; path: string };
}

/** Options of {@link Transport}. */
export interface TransportOptions {
  /** As the user wrote it, for messages. */
  host: string;
  /** `http://host:port`, for the Host header. */
  origin: string;
  /** Path that comes before the version, without a slash at its end. */
  prefix: string;
  dial: Dial;
  userAgent: string;
  /** Speak this version without asking. */
  apiVersion?: string | undefined;
  /** A likely reason, for the message, when a connection is made and then closed without an answer. */
  refusalHint?: string | undefined;
}

/** The connections to one engine, and how calls go over them: versions, deadlines, refusals as errors. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #pool: Pool;
  readonly #lifetime = new AbortController();
  readonly #sockets = new Set<Duplex>();
  #version: Promise<string> | undefined;
  #offered: string | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: TransportOptions) {
    this.#options = options;
    // Every connection being made listens to it.
    allowListeners(this.#lifetime.signal);
    this.#pool = new Pool(new URL(options.origin).host, () => this.#connect());
  }

  /** The version in use; the first call asks the engine. A failure is not kept: the next call asks again. */
  apiVersion(signal?: AbortSignal): Promise<string> {
    if (this.#options.apiVersion !== undefined) return Promise.resolve(this.#options.apiVersion);
    this.#version ??= this.#negotiate().catch((error: unknown) => {
      this.#version = undefined;
      throw error;
    });
    return signal ? untilAborted(signal, this.#version) : this.#version;
  }

  /** The newest version that the engine has; undefined when it was not asked, since the caller says which one to speak. */
  async offeredVersion(signal?: AbortSignal): Promise<string | undefined> {
    await this.apiVersion(signal);
    return this.#offered;
  }

  /** Calls and gives the answer's headers and body. @throws EngineError when the engine refuses. */
  async open(call: Call): Promise<Opened> {
    const request = await this.#exchangeFor(call);
    return this.#accept(request, await exchange(this.#pool, request, limitsOf(call)));
  }

  /** Calls and parses the answer. */
  async json<T>(call: Call): Promise<T> {
    return this.parse(await this.open(call));
  }

  /** Reads an answer to its end and parses it. */
  async parse<T>({ body, request }: Opened): Promise<T> {
    const text = (await collect(body)).toString("utf8");
    try {
      return parseJson(text) as T;
    } catch (cause) {
      throw new EngineError(
        "ENGINE_PROTOCOL",
        `the answer to ${request.method} ${request.path} is not JSON`,
        {
          ...request,
          cause,
        },
      );
    }
  }

  /** Makes a call whose answer has nothing to read. */
  async send(call: Call): Promise<void> {
    const { body } = await this.open(call);
    await collect(body);
  }

  /**
   * Calls and takes over the connection as a raw byte stream; bytes that came right behind the answer are in it.
   *
   * @param protocol what is asked for by the `Upgrade` header.
   * @throws EngineError `ENGINE_UPGRADE_REFUSED` when the call succeeds but the connection is not given.
   */
  async hijack(call: Call, protocol = "tcp"): Promise<Duplex> {
    const request = { ...(await this.#exchangeFor(call)), upgrade: protocol };
    const answer = await exchange(this.#pool, request, limitsOf(call));
    if (answer.upgraded) return answer.socket;
    const { body, headers, status, request: sent } = await this.#accept(request, answer);
    body.on("error", () => {}).destroy();
    const server =
      typeof headers["server"] === "string" ? ` (its Server header is "${headers["server"]}")` : "";
    throw new EngineError(
      "ENGINE_UPGRADE_REFUSED",
      `unable to upgrade to ${protocol}, received ${status}: what answers at ${this.#options.host}${server} does not pass raw streams on, it is probably a proxy in front of the engine`,
      { ...sent, status },
    );
  }

  /** A separate connection, on which nothing has been sent. It is closed with this transport at the latest. */
  async dial(signal?: AbortSignal): Promise<Duplex> {
    if (this.#closing) throw closedError();
    using linked = linkSignal(signal);
    const onClosing = () => linked.abort(closedError());
    this.#lifetime.signal.addEventListener("abort", onClosing, { once: true });
    try {
      return this.#hold(await this.#options.dial(linked.signal));
    } finally {
      this.#lifetime.signal.removeEventListener("abort", onClosing);
    }
  }

  /**
   * Calls with a streamed body, on a connection of its own that is closed afterwards (docker-modem #196). `read` gets the
   * answer, perhaps while the body is still being sent; once it has returned, no more of the source is read.
   *
   * The deadline counts while it is the engine's turn: to take the next bytes, or to begin its answer after the last. An
   * error of the source is thrown as it is.
   */
  async upload<T>(call: Call, source: UploadSource, read: (opened: Opened) => Promise<T>): Promise<T> {
    using linked = linkSignal(call.signal);
    const { milliseconds } = limitsOf(call);
    await using feed = new UploadFeed(source, {
      milliseconds,
      what: `${call.method} ${call.path}`,
      onStall: (error) => linked.abort(error),
    });
    const request = await this.#exchangeFor(call);
    await untilAborted(linked.signal, feed.ready());
    let answer: Answer | undefined;
    try {
      answer = await exchange(
        this.#pool,
        { ...request, body: feed.chunks(), close: true },
        { signal: linked.signal, milliseconds: 0 },
      );
      feed.answered();
      return await read(await this.#accept(request, answer));
    } catch (error) {
      throw feed.sourceError?.error ?? error;
    } finally {
      // Also where it says all before the body is sent.
      if (answer && !answer.upgraded) answer.body.destroy();
    }
  }

  /** Ends every connection, also those taken over, and waits until they are closed. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#lifetime.abort();
      const closed = [...this.#sockets].map(
        (socket) => new Promise<void>((done) => socket.once("close", done)),
      );
      this.#pool.destroy();
      for (const socket of this.#sockets) socket.destroy();
      await Promise.all(closed);
    })();
    return this.#closing;
  }

  async #negotiate(): Promise<string> {
    // GET and not HEAD, as docker has it: the same header, and a body for proxies that want one.
    const { headers, body } = await this.open({ method: "GET", path: "/_ping", unversioned: true }).catch(
      (error: unknown) => {
        if (!(error instanceof EngineError) || error.code !== "ENGINE_CONNECTION_LOST") throw error;
        const { host, refusalHint } = this.#options;
        const why = `${refusalHint === undefined ? "" : `; ${refusalHint}`} (${messageOf(error.cause)})`;
        throw new EngineError(error.code, `the Docker daemon at ${host} gave no answer${why}`, {
          cause: error,
        });
      },
    );
    await collect(body);
    const header = headers["api-version"];
    const offered = typeof header === "string" ? header : undefined;
    const version = negotiateApiVersion(offered, this.#options.host);
    this.#offered = offered;
    return version;
  }

  async #exchangeFor(call: Call): Promise<Exchange> {
    const { prefix, userAgent } = this.#options;
    if (this.#closing) throw closedError();
    const version = call.unversioned ? "" : `/v${await this.apiVersion(call.signal)}`;
    const headers: Record<string, string> = { "user-agent": userAgent, ...call.headers };
    const exchange: Exchange = {
      method: call.method,
      path: prefix + version + call.path + queryOf(call),
      headers,
    };
    if (call.json !== undefined) {
      exchange.body = JSON.stringify(call.json);
      headers["content-type"] = "application/json";
      if (exchange.body.length > maxRequestJsonBytes) {
        throw new EngineError("ENGINE_TOO_LARGE", `the body of ${call.method} ${call.path} is too large`);
      }
    }
    return exchange;
  }

  async #accept(exchanged: Exchange, answer: Awaited<ReturnType<typeof exchange>>): Promise<Opened> {
    const request = { method: exchanged.method, path: exchanged.path.replace(/\?.*$/s, "") };
    if (answer.upgraded) {
      answer.socket.destroy();
      throw new EngineError("ENGINE_PROTOCOL", "the engine switched protocols without being asked", request);
    }
    const { status, headers, body } = answer;
    // 304: the container to start is running already, or the one to stop is not.
    if ((status >= 200 && status < 300) || status === 304) return { status, headers, body, request };
    const refusal = await refusalText(body);
    // Only a Go server with TLS that gets plain text answers like this, without a single header (net/http server.go).
    if (status === 400 && Object.keys(headers).length === 0) {
      const { host } = this.#options;
      throw new EngineError(
        "ENGINE_CONNECT",
        `the Docker daemon at ${host} takes TLS only: set DOCKER_HOST=${host}, DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH to the directory of its certificates, or name a docker context that has them`,
        { ...request, status, engineMessage: refusal },
      );
    }
    throw statusError(status, refusal, request);
  }

  async #connect(): Promise<Duplex> {
    try {
      return this.#hold(await this.#options.dial(this.#lifetime.signal));
    } catch (error) {
      throw this.#closing ? closedError() : error;
    }
  }

  #hold(socket: Duplex): Duplex {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    return socket;
  }
}

function limitsOf(call: Call): { signal: AbortSignal | undefined; milliseconds: number } {
  return { signal: call.signal, milliseconds: call.milliseconds ?? defaultMilliseconds };
}

function queryOf(call: Call): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value])
      query.append(name, typeof one === "boolean" ? (one ? "1" : "0") : String(one));
  }
  return query.size > 0 ? `?${query.toString()}` : "";
}

function closedError(): EngineError {
  return new EngineError("ENGINE_CLOSED", "the connection to the engine was closed by its owner");
}
