import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";

/** What a route does with a call. Doing nothing leaves the caller waiting. */
export type Script = (call: FakeCall) => void | Promise<void>;

/** One request that the fake engine got. */
export interface FakeCall {
  readonly method: string;
  /** Without version prefix and query. */
  readonly path: string;
  /** `1.41` of `/v1.41/…`; undefined without prefix. */
  readonly version: string | undefined;
  readonly query: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
  /** What stood for `:name` in the route. */
  readonly params: Readonly<Record<string, string>>;
  /** How often this route has been called, this time included. */
  readonly count: number;
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
  readonly socket: Socket;
  /** The body, read to its end. */
  body(): Promise<Buffer>;
  /** The body as JSON; undefined when there is none. */
  jsonBody(): Promise<unknown>;
  /** Answers with JSON. */
  json(value: unknown, status?: number): void;
  /** Answers without a body; by default 204. */
  empty(status?: number): void;
  /** Refuses as the engine does: `{"message": …}`. */
  refuse(status: number, message: string): void;
  /** Answers 200 with a stream of JSON lines, ended unless `open`. */
  lines(values: readonly unknown[], options?: { open?: boolean }): void;
  /** Answers 101 and gives the connection. `early` bytes go out in the same write. */
  hijack(early?: Uint8Array): Promise<Duplex>;
  /** Breaks the connection. */
  cut(): void;
}

/** A call as it is remembered. */
export interface RecordedCall {
  method: string;
  path: string;
  version: string | undefined;
  query: Record<string, string>;
  headers: http.IncomingHttpHeaders;
  /** Which connection it came over, counted from 1. */
  connection: number;
}

/** Options of {@link FakeEngine.start}. */
export interface FakeEngineOptions {
  /** What `/_ping` offers; null leaves the header out. Default 1.41. */
  apiVersion?: string | null;
}

/** One frame of the stream that stdout and stderr are multiplexed into. */
export function stdcopyFrame(type: number, payload: Uint8Array | string): Buffer {
  const data = Buffer.from(payload as Uint8Array);
  const head = Buffer.alloc(8);
  head[0] = type;
  head.writeUInt32BE(data.length, 4);
  return Buffer.concat([head, data]);
}

/**
 * A scripted Docker engine: HTTP on a Unix socket, every answer decided by the test. It answers `/_ping`, and 404 to
 * what it has no script for. {@link FakeEngine.idle} tells that no connection is left.
 */
export class FakeEngine implements AsyncDisposable {
  readonly host: string;
  /** Every call, in the order of arrival. */
  readonly calls: RecordedCall[] = [];
  readonly #server: http.Server;
  readonly #directory: string;
  readonly #routes: { method: string; pattern: RegExp; script: Script; count: number }[] = [];
  readonly #sockets = new Map<Socket, number>();
  readonly #requests = new Map<Socket, http.IncomingMessage>();
  #connections = 0;
  #failure: unknown;

  private constructor(server: http.Server, directory: string, options: FakeEngineOptions) {
    this.#server = server;
    this.#directory = directory;
    this.host = `unix://${join(directory, "engine.sock")}`;
    const { apiVersion = "1.41" } = options;
    for (const method of ["GET", "HEAD"]) {
      this.on(method, "/_ping", ({ response }) => {
        if (apiVersion !== null) response.setHeader("Api-Version", apiVersion);
        response.end(method === "GET" ? "OK" : undefined);
      });
    }
    server.on("connection", (socket: Socket) => {
      this.#sockets.set(socket, ++this.#connections);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        this.#requests.delete(socket);
      });
    });
    server.on("request", (request: http.IncomingMessage, response: http.ServerResponse) => {
      this.#serve(request, response, () => readAll(request));
    });
    server.on("upgrade", (request: http.IncomingMessage, stream: Duplex, head: Buffer) => {
      const body = bodyOfUpgrade(request, stream, head);
      const response = new http.ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(request.socket);
      this.#serve(request, response, () => body, stream);
    });
  }

  /** A fake engine on a socket of its own. */
  static async start(options: FakeEngineOptions = {}): Promise<FakeEngine> {
    const directory = await mkdtemp(join(tmpdir(), "fake-engine-"));
    const server = http.createServer({ keepAliveTimeout: 0, requestTimeout: 0 });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(join(directory, "engine.sock"), resolve);
    });
    return new FakeEngine(server, directory, options);
  }

  /** Answers calls of `method` on `path` (`/containers/:id/json`, or a pattern with named groups). The latest route wins. */
  on(method: string, path: string | RegExp, script: Script): this {
    const pattern =
      typeof path === "string"
        ? new RegExp(`^${path.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/:(\w+)/g, "(?<$1>[^/]+)")}$`)
        : path;
    this.#routes.unshift({ method, pattern, script, count: 0 });
    return this;
  }

  /** The calls of `method` on exactly this path. */
  callsOf(method: string, path: string): RecordedCall[] {
    return this.calls.filter((call) => call.method === method && call.path === path);
  }

  /** Connections open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Connections made so far. */
  get connectionsMade(): number {
    return this.#connections;
  }

  /** Resolves when the other side has closed every connection. What comes over them until then is thrown away. */
  async idle(): Promise<void> {
    await Promise.all([...this.#sockets.keys()].map((socket) => this.#otherSideClosed(socket)));
  }

  /** Resolves when the other side has closed the connection that a call came over. */
  async closed(call: RecordedCall | undefined): Promise<void> {
    for (const [socket, connection] of this.#sockets) {
      if (connection === call?.connection) await this.#otherSideClosed(socket);
    }
  }

  #otherSideClosed(socket: Socket): Promise<void> {
    return new Promise((resolve) => {
      socket.once("close", () => resolve());
      // What the script does not read would never notice its end.
      this.#requests
        .get(socket)
        ?.on("error", () => {})
        .resume();
      if (socket.readableEnded) socket.end();
      else socket.once("end", () => socket.end()).resume();
    });
  }

  /** Breaks every connection, as an engine that is killed does; it goes on to accept new ones. */
  cutAll(): void {
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  /** Stops. @throws what a script threw. */
  async close(): Promise<void> {
    this.cutAll();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await rm(this.#directory, { recursive: true, force: true });
    if (this.#failure !== undefined) throw this.#failure as Error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #serve(
    request: http.IncomingMessage,
    response: http.ServerResponse,
    body: () => Promise<Buffer>,
    upgraded?: Duplex,
  ): void {
    const { method = "", headers, socket } = request;
    const url = new URL(request.url ?? "/", "http://engine");
    const [, version, path = "/"] = /^(?:\/v(\d+\.\d+)(?=\/))?(\/.*)$/.exec(url.pathname) ?? [];
    this.#requests.set(socket, request);
    const connection = this.#sockets.get(socket) ?? 0;
    this.calls.push({
      method,
      path,
      version,
      query: Object.fromEntries(url.searchParams),
      headers,
      connection,
    });
    const route = this.#routes.find((each) => each.method === method && each.pattern.test(path));
    const send = (status: number, text: string) => {
      response.writeHead(status, { "content-type": "application/json" }).end(text);
    };
    const call: FakeCall = {
      method,
      path,
      version,
      query: url.searchParams,
      headers,
      params: { ...route?.pattern.exec(path)?.groups },
      count: route ? ++route.count : 0,
      request,
      response,
      socket,
      body,
      async jsonBody() {
        const text = (await body()).toString("utf8");
        return text === "" ? undefined : (JSON.parse(text) as unknown);
      },
      json: (value, status = 200) => send(status, JSON.stringify(value)),
      empty: (status = 204) => void response.writeHead(status).end(),
      refuse: (status, message) => send(status, `${JSON.stringify({ message })}\n`),
      lines(values, { open = false } = {}) {
        response.writeHead(200, { "content-type": "application/json" });
        for (const value of values) response.write(`${JSON.stringify(value)}\r\n`);
        if (!open) response.end();
      },
      async hijack(early = Buffer.alloc(0)) {
        await body();
        response.detachSocket(socket);
        const head = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
        const stream = upgraded ?? socket;
        stream.write(Buffer.concat([Buffer.from(head), early]));
        return stream;
      },
      cut: () => void socket.destroy(),
    };
    if (!route) {
      call.refuse(404, "page not found");
      return;
    }
    void (async () => {
      try {
        await route.script(call);
      } catch (error) {
        this.#failure ??= error;
        socket.destroy();
      }
    })();
  }
}

async function readAll(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Node's parser lets go after the headers, and the body is still to be taken off the connection; from Node 26 on it is the request's. */
async function bodyOfUpgrade(request: http.IncomingMessage, stream: Duplex, head: Buffer): Promise<Buffer> {
  if (head.length > 0) stream.unshift(head);
  const length = Number(request.headers["content-length"] ?? 0);
  const read = await readAll(request);
  return Buffer.concat([read, await readExactly(stream, length - read.length)]);
}

// By `readable`, not by `data`: afterwards the socket is as if nobody had read from it.
function readExactly(stream: Duplex, length: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const read = () => {
      const bytes = length === 0 ? Buffer.alloc(0) : (stream.read(length) as Buffer | null);
      if (bytes === null) return;
      stream.off("readable", read);
      resolve(bytes);
    };
    stream.on("readable", read);
    read();
  });
}
