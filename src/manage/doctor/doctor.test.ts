import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FakeRegistry, fakeRegistry } from "../../../test/support/fake-registry.js";
import { FakeResult, cancelled } from "../../../test/support/fake-result.js";
import { mediaTypes } from "../../registry/index.js";
import { GrpcError, grpcCodes } from "../../http2/index.js";
import { doctor } from "./doctor.js";
import type { Finding } from "./finding.js";

let fake: FakeResult;
let registry: FakeRegistry;
let image: string;
let env: Record<string, string>;
let info: Record<string, unknown>;
const never = new AbortController().signal;

beforeEach(async () => {
  fake = await FakeResult.open();
  registry = await fakeRegistry();
  const config = { ...registry.addBlob("app", "{}"), mediaType: "application/vnd.oci.image.config.v1+json" };
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] };
  registry.addManifest("app", "1", mediaTypes.ociManifest, manifest);
  image = `${registry.origin.replace("http://", "")}/app:1`;
  env = { ...fake.builder.env };
  info = {
    OperatingSystem: "Test Linux",
    ServerVersion: "28.1",
    DockerRootDir: fake.builder.dir,
    SystemTime: new Date().toISOString(),
  };
  fake.builder.engine
    .on("GET", "/info", (call) => call.json(info))
    .on("GET", "/version", (call) => call.json({ ApiVersion: "1.49", Version: "28.1" }));
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
  await registry.close();
});

/** The builder runs. */
function running(): void {
  Object.assign(fake.builder.state, { Status: "running", Running: true });
}

async function look(
  more: { timeout?: number; signal?: AbortSignal; image?: string } = {},
): Promise<Finding[]> {
  const found: Finding[] = [];
  const builder = await fake.builder.builder();
  for await (const finding of doctor({ builder, image, env, timeout: 60_000, signal: never, ...more }))
    found.push(finding);
  return found;
}
const brief = (found: readonly Finding[]) => found.map(({ what, status }) => `${what}: ${status}`);
const of = (found: readonly Finding[], what: string) =>
  found.filter((one) => one.what === what).map(({ status, text }) => `${status}: ${text}`);

describe("a look at all that a build depends on", () => {
  it("finds nothing wrong where nothing is", async () => {
    running();
    expect(brief(await look())).toEqual([
      "engine: ok",
      "clock: ok",
      "disk: ok",
      "builder: ok",
      "daemon: ok",
      "proxy: ok",
      "authorities: ok",
      "credentials: ok",
      "registry from here: ok",
      "registry from builder: ok",
    ]);
  });

  it("boots nothing", async () => {
    const found = await look();
    expect(of(found, "builder")).toEqual(["note: b (docker-container) is stopped"]);
    expect(of(found, "registry from builder")).toEqual(["note: not tried, since the builder does not run"]);
    expect(fake.builder.engine.callsOf("POST", "/containers/buildx_buildkit_b0/start")).toEqual([]);
  });

  it("tells of a clock that is elsewhere, and of a disk that cannot be seen", async () => {
    const at = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();
    info = { ...info, SystemTime: at(10), DockerRootDir: "/nonexistent-dir" };
    const ahead = await look();
    expect(of(ahead, "clock")).toEqual([
      expect.stringMatching(/^problem: the engine's is (?:59\d|60\d) s ahead of/),
    ]);
    expect(of(ahead, "disk")).toEqual([]);
    info["SystemTime"] = at(-10);
    expect(of(await look(), "clock")).toEqual([expect.stringMatching(/ s behind this machine's/)]);
  });

  it.each([
    ["no time", { SystemTime: "" }],
    ["a time that is none", { SystemTime: "yesterday" }],
    ["no time at all", { SystemTime: undefined }],
  ])("says nothing of the clock of an engine that tells %s", async (_what, part) => {
    info = { ...info, ...part };
    expect(of(await look(), "clock")).toEqual([]);
  });

  it("tells of an engine that is not there, refuses, or is silent, and goes on", async () => {
    fake.builder.engine.on("GET", "/info", (call) => call.refuse(500, "on fire"));
    expect(of(await look(), "engine")).toEqual([expect.stringMatching(/^problem: .*on fire/)]);
    fake.builder.engine.on("GET", "/info", () => {});
    const silent = await look({ timeout: 300 });
    expect(of(silent, "engine")).toEqual([expect.stringMatching(/^problem: asking the engine .*0\.3 s/)]);
    expect(brief(silent).at(-1)).toBe("registry from builder: note");
  });

  it("tells of an environment that names no engine", async () => {
    env["DOCKER_HOST"] = "nonsense://";
    env["DOCKER_CONTEXT"] = "";
    const found = await look();
    expect(found.length).toBeGreaterThan(5);
  });

  it("tells of a daemon with known weaknesses, and of one that refuses", async () => {
    running();
    fake.version = "v0.12.4";
    expect(of(await look(), "daemon")).toEqual([
      expect.stringMatching(/^note: BuildKit v0\.12\.4: it is too old .*CVE-2024-23651/),
      expect.stringMatching(/^note: BuildKit v0\.12\.4: limits of the cache/),
    ]);
    fake.version = "built from source";
    expect(of(await look(), "daemon")).toEqual(["ok: BuildKit built from source"]);
    await fake.builder.daemon[Symbol.asyncDispose]();
    for (const { server } of fake.builder.nodes) server.close();
    const found = await look({ timeout: 2_000 });
    expect(of(found, "builder")).toEqual([expect.stringMatching(/^problem: b \(docker-container\): /)]);
    expect(of(found, "registry from builder")).toEqual(["note: not tried, since the builder does not run"]);
  });

  it("tells of a registry that is not reached from here, or from the builder", async () => {
    running();
    fake.script.solve = () => Promise.reject(new GrpcError(grpcCodes.unknown, "dial tcp: no route to host"));
    expect(of(await look(), "registry from builder")).toEqual([
      expect.stringMatching(/^problem: .*no route to host/),
    ]);
    delete fake.script.solve;
    const missing = image.replace("app:1", "none:1");
    // The builder may know a mirror.
    expect(brief(await look({ image: missing })).slice(-2)).toEqual([
      "registry from here: note",
      "registry from builder: ok",
    ]);
  });

  it("tells of a builder that takes too long to pull", async () => {
    running();
    fake.script.solve = (call) => cancelled(call);
    const found = await look({ timeout: 3_000 });
    expect(of(found, "registry from builder")).toEqual([
      `problem: the builder's looking for ${image} did not finish within 3 s`,
    ]);
  });

  it.each(["", "UPPER", "a b", "app\nRUN touch /x", "-"])(
    "takes no other image than one: %j",
    async (name) => {
      running();
      const found = await look({ image: name });
      expect(brief(found).slice(-2)).toEqual([
        "registry from here: problem",
        "registry from builder: problem",
      ]);
      expect(fake.solves).toEqual([]);
    },
  );

  it("tells of helpers that are not there, and of a configuration that cannot be read", async () => {
    const config = join(fake.builder.dir, "docker");
    await mkdir(config, { recursive: true });
    const write = (value: unknown) => writeFile(join(config, "config.json"), JSON.stringify(value));
    await write({ credsStore: "none", credHelpers: { "example.com": "other" } });
    env["PATH"] = fake.builder.dir;
    expect(of(await look(), "credentials")).toEqual([
      expect.stringContaining("no docker-credential-other is on the PATH"),
      expect.stringContaining("no docker-credential-none is on the PATH"),
    ]);
    await writeFile(join(fake.builder.dir, "docker-credential-none"), "#!/bin/sh\n");
    await chmod(join(fake.builder.dir, "docker-credential-none"), 0o755);
    await write({ credsStore: "none" });
    expect(of(await look(), "credentials")).toEqual(["ok: for what the helper knows"]);
    await write({ auths: { "a.example": {}, __proto__: {} }, credHelpers: { "b.example": "none" } });
    expect(of(await look(), "credentials")).toEqual(["ok: for a.example, b.example"]);
    await write({ auths: { "a.example": { auth: 7 } } });
    expect(of(await look(), "credentials")).toEqual([expect.stringMatching(/^note: .*a\.example/)]);
  });

  it("shows proxies without their passwords", async () => {
    env["HTTPS_PROXY"] = "http://me:s3cr3t@proxy:3128";
    const found = await look();
    expect(JSON.stringify(found)).not.toContain("s3cr3t");
    expect(of(found, "proxy")).toEqual([
      expect.stringMatching(/^note: slipway itself: HTTPS_PROXY=.*proxy:3128; build steps: none/),
    ]);
    env["no_proxy"] = "localhost,127.0.0.1";
    expect(of(await look(), "proxy")).toEqual([expect.stringMatching(/^ok: .*NO_PROXY=localhost/)]);
  });

  it.each([
    ["the engine is asked", "engine"],
    ["the builder is asked", "builder"],
    ["the registry is asked", "registry"],
    ["the builder pulls", "pull"],
  ])("ends with the cancel while %s, which is no finding", async (_what, phase) => {
    running();
    const abort = new AbortController();
    const reason = new Error("enough");
    if (phase === "engine") fake.builder.engine.on("GET", "/info", () => abort.abort(reason));
    if (phase === "builder")
      fake.builder.engine.on("GET", "/containers/buildx_buildkit_b0/json", () => abort.abort(reason));
    if (phase === "registry") {
      await registry.close();
      registry = await fakeRegistry({ intercept: () => (abort.abort(reason), undefined) });
      image = `${registry.origin.replace("http://", "")}/app:1`;
    }
    if (phase === "pull")
      fake.script.solve = (call) => {
        abort.abort(reason);
        return cancelled(call);
      };
    await expect(look({ signal: abort.signal })).rejects.toMatchObject({ code: "ABORTED", cause: reason });
  });
});
