import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type Server, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { testCertificates } from "../../test/support/certificates.js";
import { type HttpTestServer, type ReceivedRequest, httpServer } from "../../test/support/http-server.js";
import { type HostTls, RegistryHttp } from "./registry-http.js";
import { type TokenRequest, fetchToken } from "./token.js";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function server(
  answer: Parameters<typeof httpServer>[0],
  options: { tls?: boolean } = {},
): Promise<HttpTestServer> {
  const started = await httpServer(answer, options);
  open.push(started);
  return started;
}

function http(hosts: Record<string, HostTls> = {}, env: Record<string, string> = {}): RegistryHttp {
  const made = new RegistryHttp({
    env,
    hosts: new Map(Object.entries(hosts)),
    // Names of no network stand for this machine.
    resolve: async () => ["127.0.0.1"],
  });
  open.push(made);
  return made;
}

const request = (server: HttpTestServer, more: Partial<TokenRequest> = {}): TokenRequest => ({
  host: server.host,
  realm: `${server.origin}/token?fixed=1`,
  service: "reg",
  scopes: ["repository:a:pull", "repository:b:pull,push"],
  ...more,
});
const user = { username: "me", password: "p&ss wörd" };
const form = (request: ReceivedRequest | undefined) =>
  Object.fromEntries(new URLSearchParams(request?.body.toString()));

test("a password goes by OAuth2 POST", async () => {
  const peer = await server(() => ({
    body: { access_token: "T", expires_in: 300, issued_at: "2026-01-02T03:04:05.678Z", refresh_token: "x" },
  }));
  const token = await fetchToken(http(), request(peer, { credentials: user }));
  expect(token).toEqual({ token: "T", expiresIn: 300, issuedAt: new Date("2026-01-02T03:04:05.678Z") });
  expect(peer.requests).toHaveLength(1);
  expect(peer.requests[0]).toMatchObject({ method: "POST", url: "/token?fixed=1" });
  expect(peer.requests[0]?.headers).toMatchObject({
    "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    "user-agent": "slipway",
  });
  expect(peer.requests[0]?.headers).not.toHaveProperty("authorization");
  expect(form(peer.requests[0])).toEqual({
    grant_type: "password",
    username: "me",
    password: "p&ss wörd",
    service: "reg",
    scope: "repository:a:pull repository:b:pull,push",
    client_id: "buildkit-client",
  });
});

test("an identity token goes as a refresh token, with the client id asked for", async () => {
  const peer = await server(() => ({ body: { access_token: "T" } }));
  const credentials = { identityToken: "idt", username: "ignored", password: "ignored" };
  expect(await fetchToken(http(), request(peer, { credentials, clientId: "me" }))).toEqual({
    token: "T",
    expiresIn: 60,
  });
  expect(form(peer.requests[0])).toMatchObject({
    grant_type: "refresh_token",
    refresh_token: "idt",
    client_id: "me",
  });
  expect(form(peer.requests[0])).not.toHaveProperty("username");
});

test.each([405, 404, 401])("status %d makes it a GET with basic authentication", async (status) => {
  const peer = await server(({ method }) =>
    method === "POST" ? { status, body: "no" } : { body: { token: "G", expires_in: 0 } },
  );
  expect(await fetchToken(http(), request(peer, { credentials: user }))).toEqual({
    token: "G",
    expiresIn: 60,
  });
  const [, get] = peer.requests;
  expect(get?.url).toBe(
    "/token?fixed=1&service=reg&scope=repository%3Aa%3Apull&scope=repository%3Ab%3Apull%2Cpush",
  );
  const basic = Buffer.from("me:p&ss wörd").toString("base64");
  expect(get?.headers.authorization).toBe(`Basic ${basic}`);
});

test("405 to an identity token and any other status are final", async () => {
  const peer = await server(() => ({ status: 405 }));
  await expect(fetchToken(http(), request(peer, { credentials: { identityToken: "i" } }))).rejects.toThrow(
    `failed to fetch oauth token: unexpected status from POST request to ${peer.origin}/token: 405`,
  );
  const refusing = await server(() => ({ status: 403, body: { details: "no\n\u001b[2Jaccess" } }));
  await expect(fetchToken(http(), request(refusing, { credentials: user }))).rejects.toMatchObject({
    code: "REGISTRY_UNAUTHORIZED",
    status: 403,
    host: refusing.host,
    message: expect.stringMatching(
      /403 Forbidden: no \[2Jaccess; the credentials for .* were refused, or do not allow this$/,
    ),
  });
  expect(refusing.requests).toHaveLength(1);
});

test("without a secret the token is anonymous", async () => {
  const peer = await server(() => ({ body: { token: "A", access_token: "B", expires_in: 5 } }));
  expect(await fetchToken(http(), request(peer))).toEqual({ token: "B", expiresIn: 5 });
  expect(peer.requests[0]?.method).toBe("GET");
  expect(peer.requests[0]?.headers).not.toHaveProperty("authorization");
  await expect(
    fetchToken(
      http(),
      request(await server(() => ({ status: 500, body: { errors: [{ code: "X", message: "y" }] } }))),
    ),
  ).rejects.toThrow(/^failed to fetch anonymous token: .*500 Internal Server Error: X: y$/);
});

const nowhere = { host: "h", realm: "not a URL", service: "", scopes: [] };

test("a registry token is used as it is", async () => {
  expect(await fetchToken(http(), { ...nowhere, credentials: { registryToken: "RT" } })).toEqual({
    token: "RT",
    expiresIn: 60,
  });
});

test.each([
  [{ body: {} }, "did not include a token"],
  [{ body: { token: "a\r\nb" } }, "did not include a token"],
  [{ body: "<html>" }, "is not a JSON object"],
  [{ body: "[1]" }, "is not a JSON object"],
])("an answer %j is refused", async (answer, problem) => {
  const peer = await server(() => answer);
  await expect(fetchToken(http(), request(peer))).rejects.toMatchObject({
    code: "REGISTRY_PROTOCOL",
    message: expect.stringContaining(problem),
  });
});

test("SEC-22 a redirect is not followed, and credentials go nowhere else", async () => {
  const elsewhere = await server(() => ({ body: { token: "stolen" } }));
  for (const status of [301, 302, 307, 308]) {
    const peer = await server(() => ({ status, headers: { location: `${elsewhere.origin}/t?q=1` } }));
    await expect(fetchToken(http(), request(peer, { credentials: user }))).rejects.toThrow(
      `redirects to ${elsewhere.origin}, which is not followed`,
    );
  }
  expect(elsewhere.requests).toHaveLength(0);
});

test("SEC-22 an answer longer than 1 MiB is refused", async () => {
  const peer = await server(() => ({ body: `{"token":"${"x".repeat(1024 * 1024)}"}` }));
  await expect(fetchToken(http(), request(peer))).rejects.toThrow("is longer than 1048576 bytes");
});

test("SEC-21 credentials do not go to a realm without TLS unless the registry is marked insecure", async () => {
  const peer = await server(() => ({ body: { token: "T" } }));
  const far = request(peer, { host: "r.example", credentials: user });
  await expect(fetchToken(http(), far)).rejects.toMatchObject({
    code: "REGISTRY_REALM",
    message: `failed to fetch oauth token: credentials for r.example are not sent to ${peer.origin}: it is not https`,
  });
  expect(peer.requests).toHaveLength(0);
  expect((await fetchToken(http({ "r.example": { insecure: true } }), far)).token).toBe("T");
  expect((await fetchToken(http({ "r.example": { http: true } }), far)).token).toBe("T");
  const { credentials: _, ...anonymous } = far;
  await expect(fetchToken(http(), anonymous)).rejects.toThrow(
    `failed to fetch anonymous token: the token server of r.example is not asked at ${peer.origin}: it is not https`,
  );
  for (const realm of ["ftp://x", "nonsense", "http://u:p@x/"]) {
    await expect(fetchToken(http(), { ...far, realm })).rejects.toMatchObject({ code: "REGISTRY_REALM" });
  }
});

test.each([{}, { credentials: user }])(
  "SEC-69 no server inside a network is asked for an outsider",
  async (more) => {
    const peer = await server(() => ({ body: { token: "T" } }), { tls: true });
    const outside = new RegistryHttp({
      env: {},
      hosts: new Map([["r.example", { insecure: true, http: true }]]),
      resolve: async () => ["192.0.2.1"],
    });
    open.push(outside);
    // By its address, and by a name that turns out to have it.
    for (const realm of [
      `${peer.origin}/t`,
      `https://localhost:${peer.port}/t`,
      `http://localhost:${peer.port}/t`,
    ])
      await expect(
        fetchToken(outside, request(peer, { host: "r.example", realm, ...more })),
      ).rejects.toMatchObject({
        code: "REGISTRY_REALM",
        message: expect.stringContaining(
          "r.example names a server inside a network that it is not in itself",
        ),
      });
    expect(peer.requests).toEqual([]);
    // The registry's own host is where it is.
    const own = request(peer, { host: peer.host, ...more });
    expect((await fetchToken(http({ [peer.host]: { insecure: true } }), own)).token).toBe("T");
  },
);

test("SEC-22 TLS settings of one registry do not reach another's", async () => {
  const peer = await server(() => ({ body: { token: "T" } }), { tls: true });
  const client = http({ "a.example": { insecure: true }, "c.example": { ca: [testCertificates.ca] } });
  const ask = (host: string) => fetchToken(client, request(peer, { host, credentials: user }));
  expect((await ask("a.example")).token).toBe("T");
  await expect(ask("b.example")).rejects.toMatchObject({ code: "REGISTRY_CONNECT" });
  expect((await ask("c.example")).token).toBe("T");
  expect((await ask("a.example")).token).toBe("T");
});

test("the system's bundle is trusted: SSL_CERT_FILE", async () => {
  const dir = await mkdtemp(join(tmpdir(), "slipway-ca-"));
  open.push({ close: () => rm(dir, { recursive: true }) });
  // What is no certificate hides none behind it, as with Go: OpenSSL reads a text of several up to the first that is wrong.
  const [begin, end] = ["-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"];
  const bad = `${begin}\nAAAABBBB\n${end}\n${begin}\n!\n${end}\n${begin}\n`;
  await writeFile(join(dir, "ca.pem"), bad + testCertificates.ca);
  const peer = await server(() => ({ body: { token: "T" } }), { tls: true });
  for (const env of [
    { SSL_CERT_FILE: join(dir, "ca.pem") },
    { SSL_CERT_DIR: dir },
    { NODE_EXTRA_CA_CERTS: join(dir, "ca.pem") },
  ] as Record<string, string>[]) {
    expect((await fetchToken(http({}, env), request(peer))).token).toBe("T");
  }
});

test("FLT-24 a connection that fails is tried once more, and then named", async () => {
  const closed = await server(() => ({}));
  await closed.close();
  await expect(fetchToken(http(), request(closed))).rejects.toMatchObject({
    code: "REGISTRY_CONNECT",
    message: expect.stringContaining(`GET ${closed.origin} failed: connect ECONNREFUSED`),
  });
});

test("FLT-24 an abort ends the wait at once", async () => {
  const silent = await new Promise<Server>((resolve) => {
    const made = createServer().listen(0, "127.0.0.1", () => resolve(made));
  });
  const sockets: { destroy(): void }[] = [];
  const connected = new Promise<void>((resolve) => {
    silent.on("connection", (socket) => {
      sockets.push(socket);
      resolve();
    });
  });
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => silent.close(resolve));
    },
  });
  const address = silent.address() as { port: number };
  const host = `127.0.0.1:${address.port}`;
  const controller = new AbortController();
  const fetching = fetchToken(
    http(),
    { host, realm: `http://${host}/t`, service: "s", scopes: [] },
    controller.signal,
  );
  await connected;
  controller.abort(new Error("enough"));
  await expect(fetching).rejects.toMatchObject({ code: "ABORTED" });
});

test.each([
  ["429 with Retry-After", { status: 429, headers: { "retry-after": "0" } }],
  ["502", { status: 502, headers: { "retry-after": "0" } }],
  ["500 with a date", { status: 500, headers: { "retry-after": new Date(0).toUTCString() } }],
])("a token server that answers %s once is asked again", async (_, hiccup) => {
  let asked = 0;
  const peer = await server(() => (asked++ === 0 ? hiccup : { body: { token: "T" } }));
  expect(await fetchToken(http(), request(peer, { credentials: user }))).toMatchObject({ token: "T" });
  expect(peer.requests).toHaveLength(2);
});

test("a token server that breaks the connection once is asked again", async () => {
  let asked = 0;
  const peer = await server((_request, response) => {
    if (asked++ > 0) return { body: { token: "T" } };
    response.destroy();
    return undefined;
  });
  expect(await fetchToken(http(), request(peer))).toMatchObject({ token: "T" });
});

test("a refusal says whether there were no credentials, and where they were looked for", async () => {
  const peer = await server(() => ({ status: 401 }));
  await expect(fetchToken(http(), request(peer, { source: "/d/config.json" }))).rejects.toMatchObject({
    status: 401,
    retryable: false,
    message: expect.stringMatching(/; there are no credentials for .* in \/d\/config.json$/),
  });
});

test.each([
  ["a line break within", "a\nb"],
  ["no ASCII", "tökén"],
  ["a blank", "a b"],
  ["65 KiB", "x".repeat(65 * 1024)],
])("a registry token with %s is refused without being told", async (_, registryToken) => {
  const fetching = fetchToken(http(), { ...nowhere, credentials: { registryToken } });
  const error: unknown = await fetching.catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "REGISTRY_UNAUTHORIZED" });
  expect((error as Error).message).not.toContain(registryToken);
});

test("a registry token with a line break at its end is taken without it", async () => {
  const found = await fetchToken(http(), { ...nowhere, credentials: { registryToken: "RT\n" } });
  expect(found.token).toBe("RT");
});
