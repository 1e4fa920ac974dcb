import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import {
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
  createServer,
  request as send,
} from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";

/** Decides about a request, or leaves it (undefined) to the engine. Is given the path with its query, without the version. */
export type Intercept = (method: string, url: string) => { status: number; body: string } | undefined;

/** Stands between slipway and a live engine, passes requests through, and answers some in the engine's place. */
export class EngineProxy implements AsyncDisposable {
  /** For `DOCKER_HOST`. */
  readonly host: string;
  /** Requests so far: `GET /images/json?manifests=1`. */
  readonly requests: string[] = [];
  /** Answers in the engine's place while it is set. */
  intercept: Intercept | undefined;
  readonly #close: () => Promise<void>;

  private constructor(host: string, close: () => Promise<void>) {
    this.host = host;
    this.#close = close;
  }

  /** @param target the engine, `unix://…` or `tcp://…` */
  static async open(target: string): Promise<EngineProxy> {
    const directory = await mkdtemp(path.join(tmpdir(), "slipway-proxy-"));
    const socket = path.join(directory, "engine.sock");
    const server = createServer((request, response) => {
      proxy.#serve(engine, request, response).catch(() => response.destroy());
    });
    const proxy = new EngineProxy(`unix://${socket}`, async () => {
      server.closeAllConnections();
      server.close();
      await rm(directory, { recursive: true, force: true });
    });
    const { protocol, hostname, port, pathname } = new URL(target);
    const engine = protocol === "unix:" ? { socketPath: pathname } : { host: hostname, port };
    server.listen(socket);
    await once(server, "listening");
    return proxy;
  }

  async close(): Promise<void> {
    await this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #serve(engine: RequestOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET", url = "/", headers } = request;
    const plain = url.replace(/^\/v[\d.]+/, "");
    this.requests.push(`${method} ${plain}`);
    const answer = this.intercept?.(method, plain);
    if (answer) {
      // An engine reads what it refuses, too.
      for await (const _ of request);
      response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
      return;
    }
    const forwarded = send({ ...engine, method, path: url, headers });
    const answered = once(forwarded, "response") as Promise<[IncomingMessage]>;
    await pipeline(request, forwarded);
    const [reply] = await answered;
    response.writeHead(reply.statusCode ?? 500, reply.headers);
    await pipeline(reply, response);
  }
}
