import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type control, pb } from "../../src/buildkit/index.js";
import type { BuildEvent } from "../../src/core/index.js";
import {
  RegistryClient,
  digestOf,
  mediaTypes,
  parseManifest,
  parseReference,
} from "../../src/registry/index.js";
import { Session, auth } from "../../src/session/index.js";
import { engineEnv } from "../support/engine-env.js";
import { type FakeRegistry, fakeRegistry } from "../support/fake-registry.js";
import { Workplace } from "../support/workplace.js";
import { type RealBuildkitd, realBuildkitd } from "../support/real-buildkitd.js";

const { registry } = engineEnv();

describe("RegistryClient on a real registry", () => {
  const settings = new Map([[registry, { mirrors: [], insecure: false, http: true, ca: [], keyPairs: [] }]]);
  const client = new RegistryClient({ env: {}, settings });
  afterAll(() => client.close());
  const name = `slipway-${randomBytes(4).toString("hex")}`;
  const at = (rest: string) => parseReference(`${registry}/${name}${rest}`);

  test("blobs, manifests, indexes and referrers go there and come back", async () => {
    const layer = randomBytes(3 * 1024 * 1024);
    const config = Buffer.from('{"architecture":"amd64","os":"linux"}');
    const descriptorOf = (mediaType: string, content: Buffer) => ({
      mediaType,
      digest: digestOf(content),
      size: content.length,
    });
    const blob = descriptorOf("application/vnd.oci.image.layer.v1.tar", layer);
    const configBlob = descriptorOf("application/vnd.oci.image.config.v1+json", config);
    async function* inTwo() {
      yield layer.subarray(0, 1_000_000);
      yield layer.subarray(1_000_000);
    }
    expect(await client.putBlob(at("/a"), blob, inTwo)).toBe("pushed");
    expect(await client.putBlob(at("/a"), blob, inTwo)).toBe("exists");
    expect(await client.putBlob(at("/b"), blob, inTwo, { mountFrom: at("/a") })).toBe("mounted");
    async function* whole() {
      yield config;
    }
    await client.putBlob(at("/a"), configBlob, whole);
    const put = (tag: string, mediaType: string, value: object) =>
      client.putManifest(at(tag), { mediaType, content: Buffer.from(JSON.stringify(value)) });
    const image = await put("/a:v1", mediaTypes.ociManifest, {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: configBlob,
      layers: [blob],
    });
    const index = await put("/a:all", mediaTypes.ociIndex, {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [{ ...image, platform: { os: "linux", architecture: "amd64" } }],
    });
    expect(await client.resolve(at("/a:v1"))).toEqual(image);
    expect(await client.resolve(at(`/a@${index.digest}`))).toEqual(index);
    const { content, descriptor } = await client.getManifest(at("/a:all"));
    expect(parseManifest(content, descriptor.mediaType, "it")).toMatchObject({
      manifests: [{ digest: image.digest, platform: { architecture: "amd64" } }],
    });
    const chunks: Buffer[] = [];
    for await (const chunk of client.getBlob(at("/b"), blob)) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(layer)).toBe(true);
    expect(await client.readBlob(at("/a"), configBlob)).toEqual(config);
    expect(await client.referrers(at("/a"), image.digest)).toEqual([]);
    await expect(client.resolve(at("/none"))).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
    await expect(
      put("/a:bad", mediaTypes.ociManifest, {
        schemaVersion: 2,
        config: { ...configBlob, digest: digestOf("x") },
      }),
    ).rejects.toMatchObject({ code: "REGISTRY_STATUS", status: 400 });
  });
});

describe("the auth service under a real buildkitd", () => {
  let daemon: RealBuildkitd;
  let server: FakeRegistry;
  let seedDir: string;
  beforeAll(async () => {
    daemon = await realBuildkitd();
    server = await fakeRegistry({ auth: "bearer" });
    seedDir = await mkdtemp(join(tmpdir(), "slipway-auth-"));
  });
  afterAll(async () => {
    await server.close();
    await daemon[Symbol.asyncDispose]();
    await rm(seedDir, { recursive: true });
  });

  async function solve(
    request: MessageInitShape<typeof control.SolveRequestSchema>,
    env: Record<string, string>,
    password: string,
    events: BuildEvent[] = [],
  ): Promise<string[]> {
    const service = auth({
      env,
      seedDir,
      sink: (event) => events.push(event),
      provider: async () => ({ username: "me", password }),
    });
    await using client = await daemon.connect();
    await using session = await Session.open(client, { attachables: [service], sharedKey: "" });
    await client.control.solve({ ...request, Ref: randomBytes(12).toString("hex"), Session: session.id });
    return events.flatMap((event) =>
      event.type === "status" ? event.vertexes.filter((v) => v.completed).map(({ name }) => name) : [],
    );
  }

  /** Builds one file and pushes it; gives the names of the client's own vertices. */
  function push(
    repository: string,
    env: Record<string, string>,
    password = "secret",
    events: BuildEvent[] = [],
  ): Promise<string[]> {
    const Attrs = { name: `${server.host}/${repository}:t`, push: "true", "oci-mediatypes": "true" };
    const Definition = oneFile("/hello", randomBytes(8).toString("hex"));
    return solve({ Definition, Exporters: [{ Type: "image", Attrs }] }, env, password, events);
  }

  function pull(repository: string, password: string): Promise<string[]> {
    return solve({ Definition: image(`docker-image://${server.host}/${repository}:t`) }, {}, password);
  }

  test("tokens are fetched by us, and the builder does not see the password", async () => {
    const vertices = await push("team/tokens", {});
    expect(server.manifests.has("team/tokens:t")).toBe(true);
    expect(vertices).toContain(`[auth] team/tokens:pull,push token for ${server.host}`);
    expect(vertices.filter((name) => name.includes("sharing"))).toEqual([]);
  });

  test("the builder knows the same client again by its token authority, and no other", async () => {
    const before = server.tokens.length;
    await pull("team/tokens", "secret");
    expect(server.tokens).toHaveLength(before + 1);
    await pull("team/tokens", "secret");
    expect(server.tokens).toHaveLength(before + 1);
    // What it proves is its seed.
    await rm(join(seedDir, ".token_seed"));
    await pull("team/tokens", "secret");
    expect(server.tokens).toHaveLength(before + 2);
  });

  test("with BUILDKIT_NO_CLIENT_TOKEN the builder gets the credentials, and that is shown", async () => {
    const vertices = await push("team/shared", { BUILDKIT_NO_CLIENT_TOKEN: "1" });
    expect(server.manifests.has("team/shared:t")).toBe(true);
    expect(vertices).toEqual([`[auth] sharing credentials for ${server.host}`]);
  });

  test("SEC-69 wrong credentials fail the push; the token server's words are for us alone", async () => {
    const events: BuildEvent[] = [];
    const error: unknown = await push("team/wrong", {}, "wrong", events).catch((error: unknown) => error);
    expect(String(error)).toMatch(/failed to fetch oauth token.*401 Unauthorized.*were refused/s);
    expect(String(error)).not.toMatch(/incorrect username/);
    const logs = events.flatMap((event) => (event.type === "status" ? event.logs : []));
    expect(Buffer.concat(logs.map(({ data }) => data)).toString()).toMatch(
      /the token server of .*: incorrect username/,
    );
  });
});

test.each(["moby/buildkit:buildx-stable-1", "moby/buildkit:v0.12.5"])(
  "SEC-69 a push and a pull with the password of config.json, %s",
  { timeout: 180_000 },
  async (image) => {
    await using place = await Workplace.open("token");
    await using server = await fakeRegistry({ auth: "bearer" });
    const login = ["login", "--username", "me", "--password-stdin", server.host];
    const wrong = await place.run(login, { input: "wrong\n" });
    expect(wrong).toMatchObject({ exitCode: 1, stdout: "" });
    expect(wrong.stderr).toMatch(/incorrect username or password|unauthorized/i);
    const right = await place.succeed(login, { input: "secret\n" });
    expect(right.stdout).toBe("Login Succeeded\n");
    expect(right.stderr).toContain(`stored unencrypted in ${place.path("docker", "config.json")}`);
    const builder = await place.builder(
      "token",
      "--driver-opt",
      "network=host",
      "--driver-opt",
      `image=${image}`,
    );
    const name = `${server.host}/team/app:1`;
    const base = await place.context({ Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" });
    const build = ["build", "--builder", builder, "--progress", "plain"];
    const pushed = await place.run([...build, "-t", name, "--push", base]);
    expect(pushed, pushed.stderr).toMatchObject({ exitCode: 0 });
    expect(pushed.stderr).toContain(`[auth] team/app:pull,push token for ${server.host}`);
    const above = await place.context({ Dockerfile: `FROM ${name}\nCOPY Dockerfile /again\n` });
    const pulled = await place.run([...build, "--output", "type=cacheonly", above]);
    expect(pulled, pulled.stderr).toMatchObject({ exitCode: 0 });
    // One that this host does not know.
    const out = await place.succeed(["logout", server.host]);
    expect(out.stdout).toBe(`Removing login credentials for ${server.host}\n`);
    const refused = await place.run([...build, "-t", `${server.host}/team/other:1`, "--push", base]);
    expect(refused).toMatchObject({ exitCode: 1 });
    expect(refused.stderr).toMatch(/401 Unauthorized.*there are no credentials for/);
    expect(refused.stderr).toMatch(/the token server of .*: incorrect username or password/);
  },
);

type Definition = MessageInitShape<typeof pb.DefinitionSchema>;
type Op = MessageInitShape<typeof pb.OpSchema>["op"];

/** A graph of one file, made from nothing. */
function oneFile(path: string, data: string): Definition {
  const action = {
    case: "mkfile" as const,
    value: { path, mode: 0o644, data: Buffer.from(data), timestamp: -1n },
  };
  const actions = [{ input: -1n, secondaryInput: -1n, output: 0n, action }];
  return graph({ case: "file", value: { actions } }, "file.base");
}

/** A graph of one image. */
function image(identifier: string): Definition {
  return graph({ case: "source", value: { identifier } }, "source.image");
}

function graph(op: Op & {}, cap: string): Definition {
  const marshal = (value: MessageInitShape<typeof pb.OpSchema>) =>
    toBinary(pb.OpSchema, create(pb.OpSchema, value));
  const platform = { OS: "linux", Architecture: "amd64" };
  const only = marshal({ op, platform });
  const digest = `sha256:${createHash("sha256").update(only).digest("hex")}`;
  return {
    def: [only, marshal({ inputs: [{ digest, index: 0n }] })],
    metadata: { [digest]: { caps: { [cap]: true } } },
  };
}
