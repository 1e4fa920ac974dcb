import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { testCertificates } from "./certificates.js";

/** One request that a {@link HttpTestServer} got, with its body. */
export interface ReceivedRequest {
  method: string;
  /** Path and query. */
  url: string;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

/** How to answer; a plain object is sent as JSON with status 200. */
export type Answer = { status?: number; headers?: Record<string, string>; body?: string | Buffer | object };

/** An HTTP server on 127.0.0.1 for tests, which keeps what it was asked. */
export interface HttpTestServer extends AsyncDisposable {
  readonly port: number;
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** `http://127.0.0.1:<port>` or `https://…` */
  readonly origin: string;
  readonly requests: ReceivedRequest[];
  close(): Promise<void>;
}

/** Starts a server; with `tls` it has the certificate of {@link testCertificates}. */
export async function httpServer(
  answer: (
    request: ReceivedRequest,
    response: ServerResponse,
  ) => Answer | undefined | Promise<Answer | undefined>,
  options: { tls?: boolean } = {},
): Promise<HttpTestServer> {
  const requests: ReceivedRequest[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "", url = "", headers } = request;
    const received = { method, url, headers, body: Buffer.concat(chunks) };
    requests.push(received);
    const result = await answer(received, response);
    // Without an answer the handler has written, or will, by itself.
    if (!result) return;
    const { status = 200, headers: extra = {}, body = "" } = result;
    const isJson = typeof body === "object" && !Buffer.isBuffer(body);
    response.writeHead(status, { ...(isJson && { "content-type": "application/json" }), ...extra });
    response.end(isJson ? JSON.stringify(body) : body);
  };
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    serve(request, response).catch((error: unknown) => response.destroy(error as Error));
  };
  const server = options.tls
    ? createSecureServer({ cert: testCertificates.cert, key: testCertificates.key }, listener)
    : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  return {
    port,
    host: `127.0.0.1:${port}`,
    origin: `${options.tls ? "https" : "http"}://127.0.0.1:${port}`,
    requests,
    close,
    [Symbol.asyncDispose]: close,
  };
}
