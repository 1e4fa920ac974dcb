import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RegistryHttp } from "./registry-http.js";
import { readBody } from "./response-body.js";

let server: http.Server;
let client: RegistryHttp;
let url: URL;
let begun: (response: http.ServerResponse) => void;

beforeEach(async () => {
  server = http.createServer((_request, response) => {
    response.writeHead(200, { "content-length": "1000" });
    response.write("the first of it");
    begun(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  url = new URL(`http://127.0.0.1:${port}/v2/`);
  client = new RegistryHttp({ env: {} });
});
afterEach(async () => {
  await client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const ask = (signal: AbortSignal) =>
  client.request({ method: "GET", url, host: url.host, headers: {}, signal });

test("a body that is waited for when the call is cancelled ends as a cancelled call, whatever the reason is", async () => {
  begun = () => {};
  const controller = new AbortController();
  const reading = readBody(await ask(controller.signal), 2000, "the manifest");
  controller.abort(new Error("got SIGINT"));
  await expect(reading).rejects.toMatchObject({ code: "ABORTED" });
});

test("a body that breaks off is told by what it is", async () => {
  begun = (response) => void response.socket?.end();
  const reading = readBody(await ask(new AbortController().signal), 2000, "the manifest");
  await expect(reading).rejects.toMatchObject({
    code: "REGISTRY_PROTOCOL",
    retryable: true,
    message: expect.stringContaining("the manifest broke off: ") as string,
  });
});
