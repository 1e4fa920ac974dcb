import { once } from "node:events";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Duplex, duplexPair } from "node:stream";
import type { ClientNode, WebSocketLike } from "../../src/driver/kubernetes/client-node.js";
import { ClusterApi } from "../../src/driver/kubernetes/cluster-api.js";

/** What a fake API answers with. */
export interface FakeAnswer {
  status?: number;
  body?: unknown;
  text?: string;
}

/** An API server by script: what was asked is kept, and `answer` may be changed at any time. */
export class FakeCluster implements AsyncDisposable {
  readonly asked: { method: string; path: string; body: unknown }[] = [];
  answer: (method: string, path: string) => FakeAnswer | undefined = () => undefined;
  /** What happens on a process's streams in a pod; throws when the upgrade is refused. */
  exec: (path: string, process: Duplex, channel: (number: number, data: Buffer) => void) => void = () => {};
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<FakeCluster> {
    const server = createServer();
    const fake = new FakeCluster(server);
    server.on("request", (request, response) => void fake.#serve(request, response));
    await once(server.listen(0, "127.0.0.1"), "listening");
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  api(): ClusterApi {
    return new ClusterApi({
      client: this.#client(),
      config: this.#config(),
      server: this.url,
      namespace: "ci",
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { method = "", url: path = "" } = request;
    const text = Buffer.concat(chunks).toString("utf8");
    this.asked.push({ method, path, body: text === "" ? undefined : JSON.parse(text) });
    const { status = 200, body, text: raw } = this.answer(method, path) ?? notFound(path);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(raw ?? JSON.stringify(body));
  }

  #config() {
    return { applyToHTTPSOptions: () => Promise.resolve() } as unknown as ClusterApi["cluster"]["config"];
  }

  #client(): ClientNode {
    const connect = (path: string, onData: (channel: number, data: Buffer) => boolean) => {
      const [ours, theirs] = duplexPair();
      this.exec(path, theirs, onData);
      return Promise.resolve(socketOf(ours, onData));
    };
    class Exec {
      handler = {
        streams: {},
        connect: (path: string, _onText: null, onData: (channel: number, data: Buffer) => boolean) =>
          connect(path, onData),
      };
    }
    return { Exec } as unknown as ClientNode;
  }
}

/** A refusal in Kubernetes' words. */
export function notFound(path: string): FakeAnswer {
  return {
    status: 404,
    body: { kind: "Status", reason: "NotFound", message: `${path} not found`, code: 404 },
  };
}

/** The client's end of a process: channel 0 goes to its stdin, what it writes comes as channel 1. */
function socketOf(stream: Duplex, onData: (channel: number, data: Buffer) => boolean): WebSocketLike {
  stream.on("data", (data: Buffer) => onData(1, data));
  stream.on("error", () => {});
  return {
    protocol: "v5.channel.k8s.io",
    send(data, done) {
      if (data[0] === 0) stream.write(data.subarray(1), done);
      else stream.end(done);
    },
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    close: () => void stream.end(),
    terminate: () => void stream.destroy(),
    on: (event: string, listener: (error: Error) => void) => void stream.on(event, listener),
  };
}
