import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { testCertificates } from "../../test/support/certificates.js";
import { httpServer } from "../../test/support/http-server.js";
import { RegistryHttp } from "./registry-http.js";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** A proxy that sends every CONNECT to `target`, or answers it with `refusal`, or hangs up. */
async function proxyServer(options: { target?: number; refusal?: string }) {
  const asked: { url: string; authorization: string | undefined }[] = [];
  const sockets = new Set<{ destroy(): void }>();
  const server: Server = createServer((request, response) => {
    asked.push({ url: request.url ?? "", authorization: request.headers["proxy-authorization"] });
    response.end("through the proxy");
  });
  server.on("connect", (request, socket) => {
    asked.push({ url: request.url ?? "", authorization: request.headers["proxy-authorization"] });
    if (options.target === undefined) {
      socket.end(options.refusal === undefined ? "" : `HTTP/1.1 ${options.refusal}\r\n\r\n`);
      return;
    }
    const upstream = connect(options.target, "127.0.0.1", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    for (const one of [socket, upstream]) {
      sockets.add(one);
      one.on("error", () => {});
    }
    socket.pipe(upstream).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  });
  const { port } = server.address() as AddressInfo;
  return { port, asked, address: `http://me:p%40ss@127.0.0.1:${port}` };
}

function client(env: Record<string, string>, ca: string[] = []): RegistryHttp {
  const made = new RegistryHttp({ env, hosts: new Map([["r.example", { ca }]]) });
  open.push(made);
  return made;
}

async function get(http: RegistryHttp, url: string): Promise<string> {
  const response = await http.request({ method: "GET", url: new URL(url), host: "r.example" });
  return await response.body.text();
}

const basic = `Basic ${Buffer.from("me:p@ss").toString("base64")}`;

test("plain http goes to the proxy with the whole URL", async () => {
  const proxy = await proxyServer({});
  expect(await get(client({ HTTP_PROXY: proxy.address }), "http://r.example/v2/?a=b")).toBe(
    "through the proxy",
  );
  expect(proxy.asked).toEqual([{ url: "http://r.example/v2/?a=b", authorization: basic }]);
});

test("https goes through CONNECT, and the server's certificate is checked by its own name", async () => {
  const server = await httpServer(() => ({ body: "secure" }), { tls: true });
  open.push(server);
  const proxy = await proxyServer({ target: server.port });
  const env = { HTTPS_PROXY: proxy.address };
  // The certificate is for localhost; names like it are never proxied, so the name is checked by its absence.
  await expect(get(client(env, [testCertificates.ca]), "https://r.example/")).rejects.toMatchObject({
    code: "REGISTRY_CONNECT",
    message: expect.stringMatching(/does not match|Hostname/),
  });
  await expect(get(client(env), "https://r.example/")).rejects.toMatchObject({ code: "REGISTRY_CONNECT" });
  const trusting = new RegistryHttp({ env, hosts: new Map([["r.example", { insecure: true }]]) });
  open.push(trusting);
  expect(await get(trusting, "https://r.example/")).toBe("secure");
  expect(proxy.asked[0]).toEqual({ url: "r.example:443", authorization: basic });
});

test("a proxy that refuses, hangs up or is away is named", async () => {
  const refusing = await proxyServer({ refusal: "407 Proxy Authentication Required" });
  await expect(get(client({ HTTPS_PROXY: refusing.address }), "https://r.example/")).rejects.toThrow(
    `proxy 127.0.0.1:${refusing.port} refuses to connect to r.example:443: 407 Proxy Authentication Required`,
  );
  const closing = await proxyServer({});
  await expect(get(client({ HTTPS_PROXY: closing.address }), "https://r.example/")).rejects.toMatchObject({
    code: "REGISTRY_CONNECT",
  });
  await expect(
    get(client({ HTTPS_PROXY: "http://127.0.0.1:1" }), "https://r.example/"),
  ).rejects.toMatchObject({ code: "REGISTRY_CONNECT", message: expect.stringContaining("127.0.0.1:1") });
});

test("NO_PROXY keeps the proxy out", async () => {
  const server = await httpServer(() => ({ body: "direct" }));
  open.push(server);
  const http = client({ HTTP_PROXY: "http://127.0.0.1:1", NO_PROXY: "127.0.0.0/8" });
  expect(await get(http, server.origin)).toBe("direct");
});

test("after close nothing is sent", async () => {
  const http = client({});
  await http.close();
  await http.close();
  await expect(get(http, "http://127.0.0.1:1/")).rejects.toThrow("the registry client is closed");
});

test("an error names a registry that does not speak TLS, and the way out", async () => {
  const server = await httpServer(() => ({ body: "plain" }));
  open.push(server);
  await expect(get(client({}), `https://127.0.0.1:${server.port}/v2/`)).rejects.toMatchObject({
    code: "REGISTRY_CONNECT",
    message: expect.stringMatching(/does not speak TLS; .* \[registry\."r\.example"\] http = true$/),
  });
});
