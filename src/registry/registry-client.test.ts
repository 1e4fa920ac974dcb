import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { testCertificates } from "../../test/support/certificates.js";
import {
  type FakeRegistry,
  type FakeRegistryOptions,
  fakeRegistry,
} from "../../test/support/fake-registry.js";
import { httpServer } from "../../test/support/http-server.js";
import type { RegistrySettings } from "../config/index.js";
import { mediaTypes } from "./descriptor.js";
import { digestOf } from "./digest.js";
import { parseReference } from "./reference.js";
import { Exchange } from "./exchange.js";
import { RegistryClient, type RegistryClientOptions } from "./registry-client.js";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function registry(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
  const started = await fakeRegistry(options);
  open.push(started);
  return started;
}

function client(options: Partial<RegistryClientOptions> = {}): RegistryClient {
  const made = new RegistryClient({ env: {}, ...options });
  open.push(made);
  return made;
}

const settings = (more: Partial<RegistrySettings> = {}): RegistrySettings => ({
  mirrors: [],
  insecure: false,
  ca: [],
  keyPairs: [],
  ...more,
});
const me: RegistryClientOptions["credentials"] = async () => ({ username: "me", password: "secret" });
const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, layers: [] };
const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] };
const from = (server: { host: string }, rest: string) => parseReference(`${server.host}/${rest}`);
const collect = async (chunks: AsyncIterable<Buffer>) => {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
};
async function* chunksOf(...chunks: (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}
const calls = (server: FakeRegistry) => server.requests.map(({ method, url }) => `${method} ${url}`);

describe("manifests", () => {
  test("resolve and read by tag, by digest, and latest by default", async () => {
    const server = await registry();
    const digest = server.addManifest("team/app", "latest", mediaTypes.ociManifest, manifest);
    const content = Buffer.from(JSON.stringify(manifest));
    const descriptor = { mediaType: mediaTypes.ociManifest, digest, size: content.length };
    const registryClient = client();
    expect(await registryClient.resolve(from(server, "team/app"))).toEqual(descriptor);
    expect(await registryClient.getManifest(from(server, `team/app@${digest}`))).toEqual({
      descriptor,
      content,
    });
    expect(calls(server)).toEqual([
      "HEAD /v2/team/app/manifests/latest",
      `GET /v2/team/app/manifests/${digest}`,
    ]);
    expect(server.requests[0]?.headers.accept).toContain(mediaTypes.dockerList);
  });

  test("what a HEAD does not tell is read", async () => {
    const server = await registry({
      intercept: ({ method }) => (method === "HEAD" ? { status: 405 } : undefined),
    });
    const digest = server.addManifest("a", "t", mediaTypes.dockerList, index);
    expect(await client().resolve(from(server, "a:t"))).toMatchObject({
      digest,
      mediaType: mediaTypes.dockerList,
    });
  });

  test("a missing one is named", async () => {
    const server = await registry();
    await expect(client().resolve(from(server, "a:none"))).rejects.toMatchObject({
      code: "REGISTRY_NOT_FOUND",
      status: 404,
      message: `${server.host}/a:none: not found`,
    });
  });

  test("content that is not its digest's is refused", async () => {
    const wanted = digestOf("something else");
    const server = await registry({ intercept: () => ({ body: manifest }) });
    await expect(client().getManifest(from(server, `a@${wanted}`))).rejects.toMatchObject({
      code: "REGISTRY_DIGEST",
    });
    const lying = await registry({
      intercept: () => ({ headers: { "docker-content-digest": wanted }, body: manifest }),
    });
    await expect(client().getManifest(from(lying, "a"))).rejects.toMatchObject({ code: "REGISTRY_DIGEST" });
  });

  test("SEC-34 a manifest longer than 4 MiB is not read", async () => {
    const server = await registry({ intercept: () => ({ body: Buffer.alloc(4 * 1024 * 1024 + 1) }) });
    await expect(client().getManifest(from(server, "a"))).rejects.toThrow("is longer than 4194304 bytes");
  });

  test("are stored under a tag, or under their digest", async () => {
    const server = await registry();
    const content = Buffer.from(JSON.stringify(index));
    const stored = await client().putManifest(from(server, "a:t"), {
      mediaType: mediaTypes.ociIndex,
      content,
    });
    expect(stored).toEqual({
      mediaType: mediaTypes.ociIndex,
      digest: digestOf(content),
      size: content.length,
    });
    expect(server.manifests.get("a:t")?.content).toEqual(content);
    await client().putManifest(from(server, "b"), { mediaType: mediaTypes.ociIndex, content });
    expect([...server.manifests.keys()].filter((key) => key.startsWith("b"))).toEqual([`b@${stored.digest}`]);
  });

  test("a refused push says why", async () => {
    const server = await registry({
      intercept: () => ({
        status: 400,
        body: { errors: [{ code: "MANIFEST_INVALID", message: "no config" }] },
      }),
    });
    await expect(
      client().putManifest(from(server, "a:t"), {
        mediaType: mediaTypes.ociManifest,
        content: Buffer.from("{}"),
      }),
    ).rejects.toMatchObject({
      code: "REGISTRY_STATUS",
      status: 400,
      message: `pushing ${server.host}/a:t: unexpected status from ${server.host}: 400 Bad Request: MANIFEST_INVALID: no config`,
    });
  });
});

describe("blobs", () => {
  const content = randomBytes(300_000);

  test("are read as they are, and checked", async () => {
    const server = await registry();
    const blob = server.addBlob("a", content);
    expect((await collect(client().getBlob(from(server, "a"), blob))).equals(content)).toBe(true);
    const small = server.addBlob("a", "config");
    expect((await client().readBlob(from(server, "a"), small)).toString()).toBe("config");
    await expect(collect(client().getBlob(from(server, "b"), blob))).rejects.toMatchObject({
      code: "REGISTRY_NOT_FOUND",
    });
    const empty = server.addBlob("a", "");
    expect(await collect(client().getBlob(from(server, "a"), empty))).toHaveLength(0);
  });

  test("wrong bytes, too few and too many are an error", async () => {
    const server = await registry();
    const blob = server.addBlob("a", content);
    const key = `a@${blob.digest}`;
    for (const wrong of [
      Buffer.alloc(content.length),
      content.subarray(1),
      Buffer.concat([content, content]),
    ]) {
      server.blobs.set(key, wrong);
      await expect(collect(client().getBlob(from(server, "a"), blob))).rejects.toMatchObject({
        code: "REGISTRY_DIGEST",
        message: expect.stringContaining(blob.digest),
      });
    }
    await expect(client().readBlob(from(server, "a"), { ...blob, size: 2 ** 40 })).rejects.toThrow(
      "longer than",
    );
  });

  test("a connection that breaks is taken up where it broke", async () => {
    const ranges: (string | undefined)[] = [];
    const server = await httpServer(({ headers }, response) => {
      ranges.push(headers.range);
      const offset = Number(/\d+/.exec(headers.range ?? "0")?.[0]);
      response.writeHead(offset > 0 ? 206 : 200, {
        "content-length": String(content.length - offset),
        ...(offset > 0 && { "content-range": `bytes ${offset}-${content.length - 1}/${content.length}` }),
      });
      if (offset > 0) response.end(content.subarray(offset));
      else response.write(content.subarray(0, 100_000), () => response.socket?.end());
      return undefined;
    });
    open.push(server);
    const blob = { mediaType: "x", digest: digestOf(content), size: content.length };
    expect((await collect(client().getBlob(from(server, "a"), blob))).equals(content)).toBe(true);
    expect(ranges).toEqual([undefined, "bytes=100000-"]);
  });

  test("a reader that stops early leaves nothing open", async () => {
    const server = await registry();
    const blob = server.addBlob("a", content);
    for await (const chunk of client().getBlob(from(server, "a"), blob)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
  });

  test("a redirect to storage is followed without the authorisation", async () => {
    const storage = await httpServer(() => ({ body: content }));
    open.push(storage);
    const server: FakeRegistry = await registry({
      auth: "bearer",
      intercept: ({ method, url, headers }) =>
        method === "GET" && url.includes("/blobs/") && headers.authorization
          ? { status: 307, headers: { location: `${storage.origin}/bucket?signature=1` } }
          : undefined,
    });
    const blob = { mediaType: "x", digest: digestOf(content), size: content.length };
    expect(
      (await collect(client({ credentials: me }).getBlob(from(server, "a"), blob))).equals(content),
    ).toBe(true);
    expect(storage.requests).toMatchObject([{ url: "/bucket?signature=1" }]);
    expect(storage.requests[0]?.headers).not.toHaveProperty("authorization");
    const looping = await registry({
      intercept: () => ({ status: 302, headers: { location: "/v2/again" } }),
    });
    await expect(collect(client().getBlob(from(looping, "a"), blob))).rejects.toThrow("redirects too often");
  });

  test("are pushed once, mounted where they are near, and told apart", async () => {
    const server = await registry();
    const registryClient = client();
    const blob = { mediaType: "x", digest: digestOf("hello"), size: 5 };
    const hello = () => chunksOf("hel", "lo");
    const [a, b] = [from(server, "a"), from(server, "team/b")];
    expect(await registryClient.putBlob(a, blob, hello)).toBe("pushed");
    expect(await registryClient.putBlob(a, blob, hello)).toBe("exists");
    expect(await registryClient.putBlob(b, blob, hello, { mountFrom: a })).toBe("mounted");
    expect(await registryClient.hasBlob(b, blob.digest)).toBe(true);
    expect(await registryClient.hasBlob(from(server, "c"), blob.digest)).toBe(false);
    expect(
      await registryClient.putBlob(from(server, "d"), blob, hello, { mountFrom: from(server, "c") }),
    ).toBe("pushed");
    const put = server.requests.find(({ method }) => method === "PUT");
    expect(put?.headers).toMatchObject({ "content-length": "5", "content-type": "application/octet-stream" });
  });

  test("a source of another length is an error, and nothing is stored", async () => {
    const server = await registry();
    const blob = { mediaType: "x", digest: digestOf("hello"), size: 5 };
    for (const source of [() => chunksOf("hell"), () => chunksOf("hello", "!")]) {
      await expect(client().putBlob(from(server, "a"), blob, source)).rejects.toMatchObject({
        code: "REGISTRY_DIGEST",
        message: expect.stringContaining("of 5 bytes"),
      });
    }
    expect(server.blobs.size).toBe(0);
  });

  test("an abort ends an upload", async () => {
    const server = await registry();
    const controller = new AbortController();
    const blob = { mediaType: "x", digest: digestOf(content), size: content.length };
    async function* source() {
      yield content.subarray(0, 1000);
      controller.abort(new Error("stop"));
      yield content.subarray(1000);
    }
    await expect(
      client().putBlob(from(server, "a"), blob, source, { signal: controller.signal }),
    ).rejects.toMatchObject({ code: "ABORTED" });
  });
});

describe("authorisation", () => {
  test("one token a scope, kept for the next request", async () => {
    const server = await registry({ auth: "bearer" });
    server.addManifest("a", "t", mediaTypes.ociManifest, manifest);
    const registryClient = client({ credentials: me });
    await registryClient.resolve(from(server, "a:t"));
    await registryClient.getManifest(from(server, "a:t"));
    expect(server.tokens).toEqual(["repository:a:pull"]);
    await registryClient.putManifest(from(server, "b:t"), { mediaType: "x", content: Buffer.from("{}") });
    expect(server.tokens).toEqual(["repository:a:pull", "repository:b:pull,push"]);
    expect(calls(server).filter((call) => call.includes("/v2/"))).toHaveLength(4);
  });

  test("mounting asks for both repositories", async () => {
    const server = await registry({ auth: "bearer" });
    const blob = server.addBlob("a", "hello");
    await client({ credentials: me }).putBlob(from(server, "b"), blob, () => chunksOf("hello"), {
      mountFrom: from(server, "a"),
    });
    expect(server.tokens).toEqual(["repository:b:pull,push", "repository:a:pull repository:b:pull,push"]);
  });

  test("basic", async () => {
    const server = await registry({ auth: "basic" });
    server.addManifest("a", "t", mediaTypes.ociManifest, manifest);
    await client({ credentials: me }).resolve(from(server, "a:t"));
    await expect(client().resolve(from(server, "a:t"))).rejects.toMatchObject({
      code: "REGISTRY_UNAUTHORIZED",
      status: 401,
    });
  });

  test("wrong credentials say what the token server said", async () => {
    const server = await registry({ auth: "bearer" });
    const credentials = async () => ({ username: "me", password: "wrong" });
    await expect(client({ credentials }).resolve(from(server, "a:t"))).rejects.toMatchObject({
      code: "REGISTRY_UNAUTHORIZED",
      message: expect.stringContaining("incorrect username or password"),
    });
  });

  test("a token that the registry no longer takes is fetched anew", async () => {
    let refuse = false;
    const server: FakeRegistry = await registry({
      auth: "bearer",
      intercept: ({ url, headers }) => {
        if (!refuse || !headers.authorization || url.startsWith("/token")) return undefined;
        refuse = false;
        return {
          status: 401,
          headers: { "www-authenticate": `Bearer realm="${server.origin}/token",service="fake"` },
        };
      },
    });
    server.addManifest("a", "t", mediaTypes.ociManifest, manifest);
    const registryClient = client({ credentials: me });
    await registryClient.resolve(from(server, "a:t"));
    refuse = true;
    await registryClient.resolve(from(server, "a:t"));
    expect(server.tokens).toHaveLength(2);
  });

  test("what a busy registry turns away is asked again", async () => {
    let busy = 2;
    const server = await registry({
      intercept: () => (busy-- > 0 ? { status: 429, headers: { "retry-after": "0" } } : undefined),
    });
    server.addManifest("a", "t", mediaTypes.ociManifest, manifest);
    await client().resolve(from(server, "a:t"));
    expect(server.requests).toHaveLength(3);
  });
});

describe("settings", () => {
  test("mirrors are read first, with the registry's name; pushes go to the registry", async () => {
    const [server, mirror, broken] = [
      await registry(),
      await registry(),
      await registry({ intercept: () => ({ status: 500 }) }),
    ];
    const digest = mirror.addManifest("proxy/a", "t", mediaTypes.ociManifest, manifest);
    const registryClient = client({
      settings: new Map([[server.host, settings({ mirrors: [broken.host, `${mirror.host}/proxy`] })]]),
    });
    expect((await registryClient.resolve(from(server, "a:t"))).digest).toBe(digest);
    expect(calls(mirror)).toEqual([`HEAD /v2/proxy/a/manifests/t?ns=${encodeURIComponent(server.host)}`]);
    expect(broken.requests.length).toBeGreaterThan(0);
    expect(server.requests).toHaveLength(0);
    const blob = server.addBlob("a", "hello");
    expect(await collect(registryClient.getBlob(from(server, "a"), blob))).toEqual(Buffer.from("hello"));
    await registryClient.putManifest(from(server, "a:new"), { mediaType: "x", content: Buffer.from("{}") });
    expect(server.manifests.has("a:new")).toBe(true);
  });

  test("TLS: a registry's own CA, an insecure one, and neither", async () => {
    const server = await registry({ tls: true });
    server.addManifest("a", "t", mediaTypes.ociManifest, manifest);
    const resolve = (one: RegistrySettings) =>
      client({ settings: new Map([[server.host, one]]) }).resolve(from(server, "a:t"));
    await resolve(settings({ http: false, ca: [testCertificates.ca] }));
    await resolve(settings({ insecure: true }));
    await expect(resolve(settings({ http: false }))).rejects.toMatchObject({ code: "REGISTRY_CONNECT" });
  });

  test("an insecure registry that speaks plain HTTP only is found to", async () => {
    const server = await registry();
    server.addManifest("a", "t", mediaTypes.ociManifest, manifest);
    const insecure = client({ settings: new Map([[server.host, settings({ insecure: true, http: true })]]) });
    await insecure.resolve(from(server, "a:t"));
    await insecure.resolve(from(server, "a:t"));
    expect(server.requests).toHaveLength(2);
    await expect(
      client({ settings: new Map([[server.host, settings({ http: false })]]) }).resolve(from(server, "a:t")),
    ).rejects.toMatchObject({ code: "REGISTRY_CONNECT" });
  });
});

describe("referrers", () => {
  const refer = (server: FakeRegistry, subject: string, artifactType: string, tag: string) =>
    server.addManifest("a", tag, mediaTypes.ociManifest, {
      ...manifest,
      config: { mediaType: "x", digest: digestOf("{}"), size: 2 },
      artifactType,
      subject: { mediaType: mediaTypes.ociManifest, digest: subject, size: 1 },
    });

  test("are listed page by page, and filtered", async () => {
    const server = await registry();
    const subject = server.addManifest("a", "t", mediaTypes.ociManifest, manifest);
    const digests = ["x/one", "x/two", "x/one"].map((type, i) => refer(server, subject, type, `r${i}`));
    expect(new Set(digests).size).toBe(2);
    const all = await client().referrers(from(server, "a"), subject);
    expect(all.map(({ artifactType }) => artifactType)).toEqual(["x/one", "x/two"]);
    const some = await client().referrers(from(server, "a"), subject, { artifactType: "x/two" });
    expect(some.map(({ digest }) => digest)).toEqual([digests[1]]);
  });

  test("without the API they are put into that index, each once, also side by side", async () => {
    const server = await registry({ referrers: false });
    const subject = server.addManifest("a", "t", mediaTypes.ociManifest, manifest);
    const pushing = client();
    const push = (artifactType: string) =>
      pushing.putManifest(from(server, "a"), {
        mediaType: mediaTypes.ociManifest,
        content: Buffer.from(
          JSON.stringify({
            ...manifest,
            artifactType,
            annotations: { of: artifactType },
            subject: { mediaType: mediaTypes.ociManifest, digest: subject, size: 1 },
          }),
        ),
      });
    await Promise.all(["x/one", "x/two", "x/one", "x/three"].map(push));
    const found = await pushing.referrers(from(server, "a"), subject);
    expect(found.map(({ artifactType, annotations }) => [artifactType, annotations])).toEqual(
      expect.arrayContaining(["x/one", "x/two", "x/three"].map((type) => [type, { of: type }])),
    );
    expect(found).toHaveLength(3);
  });

  test("without the API they are in an index tagged with the digest", async () => {
    const server = await registry({ referrers: false });
    const subject = server.addManifest("a", "t", mediaTypes.ociManifest, manifest);
    expect(await client().referrers(from(server, "a"), subject)).toEqual([]);
    const entry = {
      mediaType: mediaTypes.ociManifest,
      digest: digestOf("x"),
      size: 1,
      artifactType: "x/one",
    };
    server.addManifest("a", subject.replace(":", "-"), mediaTypes.ociIndex, { ...index, manifests: [entry] });
    expect(await client().referrers(from(server, "a"), subject)).toEqual([entry]);
  });
});

test("SEC-23 a hand-made reference cannot become another request", async () => {
  const server = await registry();
  for (const path of ["../../x", "a/../../token", "a?b", "a b", "a\r\nb", "a%2f"]) {
    await expect(client().resolve({ domain: server.host, path })).rejects.toMatchObject({
      code: "REGISTRY_PROTOCOL",
    });
  }
  await expect(client().resolve({ domain: "h/x@y", path: "a" })).rejects.toMatchObject({
    code: "REGISTRY_PROTOCOL",
  });
  expect(server.requests).toHaveLength(0);
});

test("a host with the scheme's own port is authorised under the name that was written", async () => {
  const asked: string[] = [];
  const sent: (string | undefined)[] = [];
  const http = {
    settingsOf: () => ({}),
    request: async ({ headers }: { headers?: Record<string, string> }) => {
      sent.push(headers?.["authorization"]);
      const body = { dump: async () => {} };
      const challenge = { "www-authenticate": 'Basic realm="x"' };
      return headers?.["authorization"]
        ? { statusCode: 200, headers: {}, body }
        : { statusCode: 401, headers: challenge, body };
    },
  };
  const exchange = new Exchange(http as never, async ({ host }) => {
    asked.push(host);
    return { username: "u", password: "p" };
  });
  const endpoint = { host: "r.example:443", protocol: "https:", mayFallBack: false, base: "/v2" } as const;
  const { statusCode } = await exchange.send(endpoint, { method: "GET", path: "a/manifests/b", scopes: [] });
  expect(statusCode).toBe(200);
  expect(asked).toEqual(["r.example:443"]);
  expect(sent).toEqual([undefined, `Basic ${Buffer.from("u:p").toString("base64")}`]);
});
