import { createPublicKey, verify } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
  create,
  fromBinary,
  toBinary,
} from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Answer, type HttpTestServer, httpServer } from "../../../test/support/http-server.js";
import { FakeServerCall } from "../../../test/support/server-call.js";
import { auth as wire } from "../../buildkit/index.js";
import type { BuildEvent } from "../../core/index.js";
import { grpcCodes, statusOf } from "../../http2/index.js";
import type { RegistryCredentials } from "../../registry/index.js";
import { type AuthOptions, auth } from "./auth.js";

let dir: string;
let events: BuildEvent[];
let server: HttpTestServer;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-auth-"));
  events = [];
  server = await httpServer(({ url }) =>
    url.startsWith("/v2/")
      ? challenge(`${server.origin}/t`)
      : { body: { access_token: "T", token: "T", expires_in: 7, issued_at: "2026-01-01T00:00:01Z" } },
  );
});

const challenge = (realm: string): Answer => ({
  status: 401,
  headers: { "www-authenticate": `Bearer realm="${realm}",service="s"` },
});
/** What came to the token server. */
const tokenRequests = () => server.requests.filter(({ url }) => url.startsWith("/t"));
afterEach(async () => {
  await server.close();
  await rm(dir, { recursive: true });
});

function service(known: Record<string, RegistryCredentials>, more: Partial<AuthOptions> = {}) {
  const attachable = auth({
    env: {},
    seedDir: dir,
    provider: async ({ host }) => known[host],
    sink: (event) => events.push(event),
    ...more,
  });
  return async <I extends DescMessage, O extends DescMessage>(
    method: string,
    input: I,
    request: MessageInitShape<I>,
    output: O,
  ): Promise<MessageShape<O>> => {
    const call = new FakeServerCall(`/moby.filesync.v1.Auth/${method}`);
    call.send(toBinary(input, create(input, request)));
    call.endInput();
    await attachable.handle(call);
    return fromBinary(output, call.sent[0] ?? Buffer.alloc(0));
  };
}
type Call = ReturnType<typeof service>;

const credentials = (call: Call, Host: string) =>
  call("Credentials", wire.CredentialsRequestSchema, { Host }, wire.CredentialsResponseSchema);
const token = (
  call: Call,
  Host: string,
  more: { Scopes?: string[]; Realm?: string; Service?: string } = {},
) =>
  call(
    "FetchToken",
    wire.FetchTokenRequestSchema,
    { Host, Realm: `${server.origin}/t`, Service: "s", Scopes: ["repository:a/b:pull"], ...more },
    wire.FetchTokenResponseSchema,
  );
const authority = (call: Call, Host: string, Salt = Buffer.from("salt")) =>
  call(
    "GetTokenAuthority",
    wire.GetTokenAuthorityRequestSchema,
    { Host, Salt },
    wire.GetTokenAuthorityResponseSchema,
  );
const vertices = () => [
  ...new Set(
    events.flatMap((event) => (event.type === "status" ? event.vertexes.map((vertex) => vertex.name) : [])),
  ),
];
const logs = () =>
  events
    .flatMap((event) => (event.type === "status" ? event.logs : []))
    .map((log) => Buffer.from(log.data).toString());

test("advertises its four methods", () => {
  expect(auth({ env: {} }).methods).toEqual([
    "/moby.filesync.v1.Auth/Credentials",
    "/moby.filesync.v1.Auth/FetchToken",
    "/moby.filesync.v1.Auth/GetTokenAuthority",
    "/moby.filesync.v1.Auth/VerifyTokenAuthority",
  ]);
});

test("SEC-52 sharing credentials is one line of progress a host; having none is none", async () => {
  const call = service({
    "r.example": { username: "u", password: "p" },
    "t.example": { identityToken: "id", username: "x" },
  });
  expect(await credentials(call, "r.example")).toMatchObject({ Username: "u", Secret: "p" });
  expect(await credentials(call, "r.example")).toMatchObject({ Username: "u", Secret: "p" });
  expect(await credentials(call, "t.example")).toMatchObject({ Username: "", Secret: "id" });
  expect(await credentials(call, "none.example")).toMatchObject({ Username: "", Secret: "" });
  expect(vertices()).toEqual([
    "[auth] sharing credentials for r.example",
    "[auth] sharing credentials for t.example",
  ]);
});

test("a token for credentials shows what it is for, and the realm when it is elsewhere", async () => {
  await using other = await httpServer(() => challenge(`${server.origin}/t`));
  const call = service({
    [server.host]: { username: "u", password: "p" },
    [other.host]: { username: "u", password: "p" },
  });
  expect(
    await token(call, server.host, { Scopes: ["repository:a/b:pull", "repository:c:push"] }),
  ).toMatchObject({
    Token: "T",
    ExpiresIn: 7n,
    IssuedAt: 1767225601n,
  });
  expect(vertices()).toEqual([`[auth] a/b:pull c:push token for ${server.host}`]);
  expect(logs()).toEqual([]);
  await token(call, other.host);
  expect(logs()).toEqual([`token server of ${other.host} is ${server.host}\n`]);
});

test("an anonymous token and a registry token show nothing", async () => {
  const call = service({ "rt.example": { registryToken: "RT" } });
  expect(await token(call, server.host)).toMatchObject({ Token: "T" });
  expect(await token(call, "rt.example")).toMatchObject({ Token: "RT", ExpiresIn: 60n, IssuedAt: 0n });
  expect(vertices()).toEqual([]);
  expect(tokenRequests()).toHaveLength(1);
});

test("SEC-21 a realm without TLS gets no credentials; the vertex carries the error", async () => {
  const call = service({ "far.example": { username: "u", password: "hunter2" } });
  const error: unknown = await token(call, "far.example").catch((error: unknown) => error);
  expect(statusOf(error)).toMatchObject({
    code: grpcCodes.unknown,
    message: expect.stringContaining("failed to fetch oauth token: credentials for far.example are not sent"),
  });
  expect(server.requests).toHaveLength(0);
  const failed = events.flatMap((event) => (event.type === "status" ? event.vertexes : [])).at(-1);
  expect(failed?.error).toContain("is not https");
  expect(JSON.stringify(events)).not.toContain("hunter2");
});

describe("SEC-69 the builder names the token server, and the registry decides", () => {
  const refused = async (asked: Promise<unknown>) => {
    const error: unknown = await asked.then(
      () => undefined,
      (error: unknown) => error,
    );
    return statusOf(error).message ?? "";
  };
  const known = () => ({ [server.host]: { username: "u", password: "hunter2" } });

  test.each(["hunter2", ""])("one that it does not announce is not asked, password %j", async (password) => {
    await using inside = await httpServer(() => ({ body: { token: "internal" } }));
    const call = service(password ? known() : {});
    for (const Realm of [`${inside.origin}/t`, `${server.origin}/other`, `${server.origin}/t?x=1`]) {
      expect(await refused(token(call, server.host, { Realm }))).toContain(
        `${server.host} does not announce the token server that the builder names`,
      );
    }
    expect(inside.requests).toEqual([]);
    expect(tokenRequests()).toEqual([]);
    // Asked once, with nothing of ours.
    expect(server.requests.map(({ url }) => url)).toEqual(["/v2/", "/v2/a/b/manifests/latest"]);
    expect(server.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
    expect(vertices()).toEqual([`[auth] a/b:pull token for ${server.host}`]);
  });

  test("its service is the one that the registry names", async () => {
    const call = service(known());
    const Service = "other";
    expect(await refused(token(call, server.host, { Service }))).toContain("does not announce");
    expect(tokenRequests()).toEqual([]);
  });

  test("a repository may have a token server of its own, and another place may be where the registry is", async () => {
    await using own = await httpServer(({ url }) =>
      url === "/v2/a/b/manifests/latest" ? challenge(`${server.origin}/t`) : challenge("https://a.example/t"),
    );
    await using moved = await httpServer(({ url }) => ({
      status: 307,
      headers: { location: `${own.origin}${url}` },
    }));
    const call = service({});
    expect(await token(call, own.host)).toMatchObject({ Token: "T" });
    expect(await token(call, moved.host)).toMatchObject({ Token: "T" });
  });

  test("well-known ones are not asked for, and of others nobody learns whether they are there", async () => {
    const call = service({}, { env: { HTTPS_PROXY: server.origin } });
    const hub = { Realm: "https://auth.docker.io/token", Service: "registry.docker.io" };
    expect(await refused(token(call, "registry-1.docker.io", hub))).toContain("is not reached");
    expect(server.requests).toEqual([]);
    const texts = new Set<string>();
    await using closed = await httpServer(() => ({}));
    await closed.close();
    await using silent = await httpServer(() => ({ body: "hello" }));
    await using noRealm = await httpServer(() => ({ status: 401, body: "hello" }));
    for (const { host } of [closed, silent, noRealm])
      texts.add((await refused(token(service({}), host))).replaceAll(host, "HOST"));
    expect([...texts]).toHaveLength(1);
  });

  test("after many hosts that do not answer no further one is asked", async () => {
    const call = service({});
    const hosts = Array.from({ length: 20 }, (_, at) => `127.0.0.1:${at + 1}`);
    await Promise.all(
      hosts.map((host) => refused(token(call, host, { Scopes: [], Realm: "https://a.example/" }))),
    );
    expect(await refused(token(call, server.host))).toContain("does not announce");
    expect(server.requests).toEqual([]);
  });

  test("a registry that everybody reaches cannot send us into this machine's networks", async () => {
    const call = service({}, { hosts: new Map([["far.example", { http: true }]]) });
    const wellKnown = { Realm: `${server.origin}/t` };
    expect(await refused(token(call, "far.example", wellKnown))).toContain("does not announce");
    for (const [host, Realm] of [
      [server.host, "https://169.254.169.254/latest/meta-data"],
      ["localhost:1", "https://[fe80::1]/t"],
    ] as const)
      expect(await refused(token(call, host, { Realm }))).toContain("does not announce");
    expect(tokenRequests()).toEqual([]);
  });

  test.each([
    [{ status: 401, body: { details: "internal words" } }, "401 Unauthorized"],
    [{ status: 400, body: { error: "internal words" } }, "400 Bad Request"],
    [{ body: "internal words" }, "is not a JSON object"],
    [{ body: { token: "internal words\r\n" } }, "did not include a token"],
    [
      { status: 302, headers: { location: "https://internal.example/words" } },
      "redirects, which is not followed",
    ],
  ])("no text of its answer %j goes back", { timeout: 30_000 }, async (answer, expected) => {
    await using hostile = await httpServer(({ url }) =>
      url.startsWith("/v2/") ? challenge(`${hostile.origin}/t`) : answer,
    );
    const call = service({});
    const message = await refused(token(call, hostile.host, { Realm: `${hostile.origin}/t` }));
    expect(message).toContain(expected);
    expect(message).not.toMatch(/internal/);
    // The user sees why.
    const said = `${logs().join("")}${JSON.stringify(events)}`;
    if ("status" in answer) expect(said).toMatch(/internal/);
  });

  test.each([
    { Scopes: ["repository:a:pull\r\nx: y"] },
    { Scopes: Array.from({ length: 300 }, (_, at) => `repository:a${at}:pull`) },
    { Scopes: ["x".repeat(2000)] },
    { Realm: `https://a.example/${"x".repeat(5000)}` },
    { Service: "x".repeat(2000) },
  ])("a request of no sensible form is refused", async (odd) => {
    expect(await refused(token(service({}), server.host, odd))).toMatch(/^the builder asks for a token with/);
    expect(server.requests).toEqual([]);
  });

  test("absurd lifetimes are clipped", async () => {
    await using hostile = await httpServer(({ url }) =>
      url.startsWith("/v2/")
        ? challenge(`${hostile.origin}/t`)
        : { body: `{"token":"T","expires_in":1e300}` },
    );
    const { ExpiresIn } = await token(service({}), hostile.host, { Realm: `${hostile.origin}/t` });
    expect(ExpiresIn).toBe(366n * 86400n);
  });
});

test("a program's credentials are asked for each token, with its scopes", async () => {
  const asked: unknown[] = [];
  const call = service(
    {},
    {
      credentials: async ({ host, scopes }) => {
        asked.push({ host, scopes });
        return { username: "u", password: `p${asked.length}` };
      },
    },
  );
  await token(call, server.host);
  await token(call, server.host);
  expect(asked).toEqual([
    { host: server.host, scopes: ["repository:a/b:pull"] },
    { host: server.host, scopes: ["repository:a/b:pull"] },
  ]);
  expect(tokenRequests().map(({ body }) => new URLSearchParams(body.toString()).get("password"))).toEqual([
    "p1",
    "p2",
  ]);
});

test("SEC-16 every secret looked up is told", async () => {
  const secrets: string[] = [];
  const call = service(
    { "r.example": { username: "u", password: "p" } },
    { onSecret: (secret) => secrets.push(secret) },
  );
  await credentials(call, "r.example");
  expect(secrets).toEqual(["p"]);
});

test("the token authority proves the same client each time, by a key of its own for each salt and host", async () => {
  const call = service({ a: { username: "u", password: "p" }, b: { username: "u", password: "p" } });
  const salt = Buffer.alloc(32, 7);
  const { PublicKey } = await authority(call, "a", salt);
  expect(PublicKey).toHaveLength(32);
  const payload = Buffer.alloc(32, 9);
  const { Signed } = await call(
    "VerifyTokenAuthority",
    wire.VerifyTokenAuthorityRequestSchema,
    { Host: "a", Payload: payload, Salt: salt },
    wire.VerifyTokenAuthorityResponseSchema,
  );
  expect(Buffer.from(Signed.subarray(64))).toEqual(payload);
  const key = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(PublicKey).toString("base64url") },
    format: "jwk",
  });
  expect(verify(null, payload, key, Signed.subarray(0, 64))).toBe(true);
  expect((await authority(service({ a: { password: "p" } }), "a", salt)).PublicKey).toEqual(PublicKey);
  expect((await authority(call, "a", Buffer.alloc(32, 8))).PublicKey).not.toEqual(PublicKey);
  expect((await authority(call, "b", salt)).PublicKey).not.toEqual(PublicKey);
});

test("without a secret no seed is made and hosts share a key", async () => {
  const call = service({});
  expect((await authority(call, "a")).PublicKey).toEqual((await authority(call, "b")).PublicKey);
  expect(await readdir(dir)).toEqual([]);
});

test("BUILDKIT_NO_CLIENT_TOKEN makes the builder ask for credentials instead", async () => {
  const off = service({}, { env: { BUILDKIT_NO_CLIENT_TOKEN: "1" } });
  const error: unknown = await authority(off, "a").catch((error: unknown) => error);
  expect(statusOf(error)).toEqual({ code: grpcCodes.unavailable, message: "client side tokens disabled" });
  expect(
    (await authority(service({}, { env: { BUILDKIT_NO_CLIENT_TOKEN: "maybe" } }), "a")).PublicKey,
  ).toHaveLength(32);
});

test("SEC-20 a failing credential helper is a warning, and the host anonymous", async () => {
  await writeFile(join(dir, "config.json"), '{"credHelpers":{"r.example":"none"}}');
  const attachable = auth({
    env: { DOCKER_CONFIG: dir, PATH: "/nowhere" },
    sink: (event) => events.push(event),
  });
  const call = new FakeServerCall("/moby.filesync.v1.Auth/Credentials");
  call.send(
    toBinary(wire.CredentialsRequestSchema, create(wire.CredentialsRequestSchema, { Host: "r.example" })),
  );
  await attachable.handle(call);
  expect(fromBinary(wire.CredentialsResponseSchema, call.sent[0] ?? Buffer.alloc(1))).toMatchObject({
    Secret: "",
  });
  expect(events).toEqual([
    {
      type: "message",
      level: "warning",
      text: expect.stringContaining("docker-credential-none is not installed"),
    },
  ]);
});
