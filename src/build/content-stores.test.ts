import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeResult, cancelled } from "../../test/support/fake-result.js";
import type { BuildEvent } from "../core/index.js";
import type { BuildOptions } from "./build-options.js";
import { build } from "./build.js";
import { files } from "./contexts.js";

let fake: FakeResult;
let dir: string;

beforeEach(async () => {
  fake = await FakeResult.open();
  dir = join(fake.builder.dir, "store");
});
afterEach(() => fake[Symbol.asyncDispose]());

/** Puts a blob where the builder would write it. */
async function blob(text: string): Promise<{ mediaType: string; digest: string; size: number }> {
  const hex = createHash("sha256").update(text).digest("hex");
  await mkdir(join(dir, "blobs", "sha256"), { recursive: true });
  await writeFile(join(dir, "blobs", "sha256", hex), text);
  return { mediaType: "application/vnd.oci.image.index.v1+json", digest: `sha256:${hex}`, size: text.length };
}

async function attempt(more: Partial<BuildOptions> = {}) {
  const warnings: string[] = [];
  const onEvent = (event: BuildEvent) =>
    void (event.type === "message" && event.level === "warning" && warnings.push(event.text));
  const error = await build({
    builder: "b",
    env: fake.builder.env,
    context: files({ Dockerfile: "FROM scratch\n" }),
    outputs: [{ type: "cacheonly" }],
    describe: false,
    onEvent,
    ...more,
  }).then(
    () => undefined,
    (thrown: Error & { code?: string }) => thrown,
  );
  return { error, warnings };
}

const index = async () =>
  JSON.parse(await readFile(join(dir, "index.json"), "utf8")) as { manifests: object[] };
const blobs = async () => (await readdir(join(dir, "blobs", "sha256"))).length;
const cacheTo = (attrs: object = {}) => [{ type: "local", attrs: { dest: dir, ...attrs } }];
const cacheFrom = (attrs: object = {}) => [{ type: "local", attrs: { src: dir, ...attrs } }];

describe("a local cache", () => {
  it("is named by its tag when it was written, and read by it in the next build", async () => {
    fake.script.exports = async () => ({ "cache.manifest": JSON.stringify(await blob("one")) });
    expect((await attempt({ cacheTo: cacheTo({ tag: "main" }) })).error).toBeUndefined();
    expect((await index()).manifests).toMatchObject([
      { annotations: { "org.opencontainers.image.ref.name": "main" } },
    ]);
    const { digest } = await blob("one");
    expect(await attempt({ cacheFrom: cacheFrom({ tag: "main" }) })).toEqual({
      error: undefined,
      warnings: [],
    });
    expect(fake.solves.at(-1)?.Cache?.Imports).toMatchObject([
      { Type: "local", Attrs: { src: dir, tag: "main", digest } },
    ]);
    const [session] = fake.builder.daemon.sessions.slice(-1);
    expect(session?.methods).toContain("/containerd.services.content.v1.Content/Read");
  });

  it("that is not there, or not whole, is warned of", async () => {
    const missing = `local cache import at ${dir} not found due to err: `;
    const warning = async (attrs: object = {}) => (await attempt({ cacheFrom: cacheFrom(attrs) })).warnings;
    expect(await warning()).toEqual([expect.stringContaining(missing)]);
    await mkdir(dir);
    expect(await warning()).toEqual([expect.stringContaining(missing)]);
    await writeFile(join(dir, "index.json"), '{"schemaVersion":2,"manifests":[]}');
    expect(await warning({ tag: "x" })).toEqual([`${missing}no manifest with the tag x in index.json`]);
    for (const text of ["", "{", "[]", '{"manifests":1}']) {
      await writeFile(join(dir, "index.json"), text);
      expect(await warning()).toEqual([expect.stringContaining(missing)]);
    }
    for (const digest of ["", "sha256:x", "../../etc", `sha256:${"0".repeat(64)}`])
      expect(await warning({ digest })).toEqual([expect.stringContaining(missing)]);
  });

  it.each([
    [{ cacheFrom: [{ type: "local" }] }, "local cache importer requires src"],
    [{ cacheFrom: [{ type: "local", attrs: { src: "" } }] }, "local cache importer requires src"],
    [{ cacheTo: [{ type: "local" }] }, "local cache exporter requires dest"],
    [
      { cacheTo: [{ type: "local", attrs: { dest: "/etc/passwd" } }] },
      "local cache destination /etc/passwd is not a directory",
    ],
    [{ cacheTo: [{ type: "local", attrs: { dest: "/etc/passwd/x" } }] }, "/etc/passwd/x"],
    [
      { cacheTo: [{ type: "local", attrs: { dest: "/proc/none" } }] },
      "cache directory /proc/none cannot be made",
    ],
    [
      { outputs: [{ type: "oci", dest: "/proc/none", attrs: { tar: "false" } }] },
      "output directory /proc/none cannot be made",
    ],
  ])("that can never be is refused by name: %#", async (options, message) => {
    expect((await attempt(options as Partial<BuildOptions>)).error).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining(message) as string,
    });
  });

  it("that the builder claims to have written, and has not, is no cache", async () => {
    const digest = `sha256:${"0".repeat(64)}`;
    for (const claim of [
      JSON.stringify({ mediaType: "x", digest, size: 1 }),
      "{",
      "[]",
      '{"digest":"../x"}',
    ]) {
      fake.script.exports = () => ({ "cache.manifest": claim });
      expect((await attempt({ cacheTo: cacheTo() })).error).toMatchObject({ code: "BUILDER_CLAIM" });
    }
    expect(await readdir(dir)).not.toContain("index.json");
  });

  it("loses what it does not lead to when it is reset, unless that cannot be", async () => {
    const write = async (text: string) => {
      fake.script.exports = async () => ({ "cache.manifest": JSON.stringify(await blob(text)) });
      return attempt({ cacheTo: cacheTo({ reset: "true" }) });
    };
    expect(await write("{}")).toEqual({ error: undefined, warnings: [] });
    expect(await write('{"a":1}')).toEqual({ error: undefined, warnings: [] });
    expect(await blobs()).toBe(1);
    // An index that leads to what is none cannot be told apart from one that leads to more.
    const { warnings } = await write("no document");
    expect(warnings.join()).toMatch(/^$|^local cache .* was not reset: /);
  });

  it("is left whole by a build that is cancelled while it is written", async () => {
    fake.script.exports = async () => ({ "cache.manifest": JSON.stringify(await blob("one")) });
    await attempt({ cacheTo: cacheTo() });
    const before = await index();
    const abort = new AbortController();
    fake.script.exports = async (_request, call) => {
      await blob("two");
      abort.abort();
      return cancelled(call);
    };
    expect(
      (await attempt({ cacheTo: cacheTo({ reset: "true" }), signal: abort.signal })).error,
    ).toMatchObject({
      code: "ABORTED",
    });
    expect(await index()).toEqual(before);
  });

  it("named twice is written once", async () => {
    fake.script.exports = async () => ({ "cache.manifest": JSON.stringify(await blob("{}")) });
    const both = [...cacheTo({ reset: "true", tag: "a" }), ...cacheTo({ reset: "true", tag: "b" })];
    expect(await attempt({ cacheTo: both })).toEqual({ error: undefined, warnings: [] });
    expect((await index()).manifests).toHaveLength(2);
  });

  it("in a directory that a link leads to is found there", async () => {
    await mkdir(dir);
    const link = `${dir}-link`;
    await symlink(dir, link);
    fake.script.exports = async () => ({ "cache.manifest": JSON.stringify(await blob("{}")) });
    expect((await attempt({ cacheTo: [{ type: "local", attrs: { dest: link } }] })).error).toBeUndefined();
    expect((await index()).manifests).toHaveLength(1);
  });
});

describe("an image as a layout", () => {
  const outputs = () => [{ type: "oci" as const, dest: dir, attrs: { tar: "false" } }];
  const claim = (descriptor: object, name?: string) => ({
    "containerimage.descriptor": Buffer.from(JSON.stringify(descriptor)).toString("base64"),
    ...(name !== undefined && { "image.name": name }),
  });

  it("is named by its names, or as the latest", async () => {
    fake.script.exports = async () => claim(await blob("{}"));
    expect((await attempt({ outputs: outputs() })).error).toBeUndefined();
    expect((await index()).manifests).toMatchObject([
      { annotations: { "org.opencontainers.image.ref.name": "latest" } },
    ]);
    fake.script.exports = async () =>
      claim(await blob("{}"), "docker.io/library/app:1,docker.io/library/app:2");
    expect((await attempt({ outputs: outputs(), tags: ["app:1", "app:2"] })).error).toBeUndefined();
    expect((await index()).manifests).toHaveLength(3);
  });

  it("that was not asked for, or not written, is none", async () => {
    fake.script.exports = async () => claim(await blob("{}"), "docker.io/library/other:1");
    expect((await attempt({ outputs: outputs(), tags: ["app:1"] })).error).toMatchObject({
      code: "BUILDER_CLAIM",
    });
    fake.script.exports = () => claim({ mediaType: "x", digest: `sha256:${"0".repeat(64)}`, size: 1 });
    expect((await attempt({ outputs: outputs() })).error).toMatchObject({ code: "BUILDER_CLAIM" });
    fake.script.exports = () => ({ "containerimage.descriptor": "no descriptor" });
    expect((await attempt({ outputs: outputs() })).error).toMatchObject({ code: "BUILDER_CLAIM" });
    expect(await readdir(dir)).not.toContain("index.json");
  });

  it("cannot be had twice in a build", async () => {
    const both = [...outputs(), { type: "docker" as const, dest: `${dir}2`, attrs: { tar: "false" } }];
    expect((await attempt({ outputs: both })).error?.message).toContain(
      "only one output with tar=false is possible",
    );
  });

  it("where nothing can be written fails by name", async () => {
    await mkdir(dir);
    await writeFile(join(dir, "index.json"), "{");
    fake.script.exports = async () => claim(await blob("{}"));
    const { error } = await attempt({ outputs: outputs() });
    expect(error?.message).toContain("index.json");
  });

  it("is a context as well, with the blobs served", async () => {
    const { digest, mediaType, size } = await blob("{}");
    await writeFile(join(dir, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
    const ref = { "org.opencontainers.image.ref.name": "latest" };
    const entry = { mediaType, digest, size, annotations: ref };
    await writeFile(join(dir, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
    const { error } = await attempt({ buildContexts: { base: `oci-layout://${dir}` } });
    expect(error).toBeUndefined();
    expect(fake.solves[0]?.FrontendAttrs["context:base"]).toMatch(/^oci-layout:\/\/[a-z0-9]+:latest@sha256:/);
  });
});
