import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type BuildEvent,
  type BuildOptions,
  Builder,
  type Connection,
  connect,
  files,
} from "../../src/index.js";
import { engineEnv } from "../support/engine-env.js";
import { Workplace } from "../support/workplace.js";

const { registry } = engineEnv();

let builder: Builder;
let connection: Connection;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "slipway-caches-"));
  builder = await Builder.ensure({ name: "caches", driverOpts: { network: "host" } });
  connection = await connect({ builder });
});

afterAll(async () => {
  await connection?.close();
  await builder?.remove();
  await rm(scratch, { recursive: true, force: true });
});

/** Runs a build of one RUN step and tells whether that step came from a cache, and the warnings. */
async function run(word: string, options: Partial<BuildOptions>) {
  let cached = false;
  const warnings: string[] = [];
  const onEvent = (event: BuildEvent) => {
    if (event.type === "message") warnings.push(event.text);
    if (event.type === "status")
      for (const vertex of event.vertexes) if (vertex.name.includes("RUN") && vertex.cached) cached = true;
  };
  await connection.build({
    context: files({ Dockerfile: `FROM busybox\nRUN echo ${word} > /word\n` }),
    outputs: [{ type: "cacheonly" }],
    onEvent,
    ...options,
  });
  return { cached, warnings };
}

/** A builder that knows nothing, in place of the one before. */
async function startAgain(): Promise<void> {
  await connection.close();
  await builder.remove();
  builder = await Builder.ensure({ name: "caches-again", driverOpts: { network: "host" } });
  connection = await connect({ builder });
}

test("a local cache is written, named, and used by a builder that knows nothing", async () => {
  const dest = join(scratch, "cache");
  await run("one", { cacheTo: [{ type: "local", attrs: { dest, mode: "max" } }] });
  const index = JSON.parse(await readFile(join(dest, "index.json"), "utf8")) as { manifests: unknown[] };
  expect(index.manifests).toMatchObject([{ annotations: { "org.opencontainers.image.ref.name": "latest" } }]);
  await startAgain();
  const again = await run("one", { cacheFrom: [{ type: "local", attrs: { src: dest } }] });
  expect(again).toEqual({ cached: true, warnings: [] });

  // reset: what the index no longer leads to goes.
  const blobs = () => readdir(join(dest, "blobs/sha256"));
  const before = new Set(await blobs());
  await run("two", { cacheTo: [{ type: "local", attrs: { dest, reset: "true" } }] });
  const after = await blobs();
  expect(after.some((name) => !before.has(name))).toBe(true);
  expect([...before].every((name) => after.includes(name))).toBe(false);
});

test("a local cache's directory may have any name", async () => {
  for (const [at, name] of ["каталог", "tab\tline\nend "].entries()) {
    const dest = join(scratch, name);
    const word = `named ${at}`;
    expect(await run(word, { cacheTo: [{ type: "local", attrs: { dest } }] })).toMatchObject({
      warnings: [],
    });
    expect(await readdir(dest)).toContain("index.json");
    await startAgain();
    const again = await run(word, { cacheFrom: [{ type: "local", attrs: { src: dest } }] });
    expect(again).toEqual({ cached: true, warnings: [] });
  }
});

test("a cache that is not there is a warning, a wrong one an error", async () => {
  const none = join(scratch, "none");
  const { warnings } = await run("three", { cacheFrom: [{ type: "local", attrs: { src: none } }] });
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain(none);
  const file = join(scratch, "file");
  await writeFile(file, "");
  const wrong = [
    ["local", { dest: "" }, "local cache exporter requires dest"],
    ["local", { dest: file }, `${file} is not a directory`],
    ["registry", {}, "registry cache exporter requires ref"],
    ["registry", { ref: "x", mode: "all" }, "invalid mode all"],
  ] as const;
  for (const [type, attrs, message] of wrong)
    await expect(run("four", { cacheTo: [{ type, attrs }] })).rejects.toThrow(message);
});

/** A build stage that the image does not hold, and one that it does; tells which of the two came from a cache. */
async function twoStages(word: string, options: Partial<BuildOptions>) {
  const cached = new Set<string>();
  await connection.build({
    context: files({
      Dockerfile: `FROM busybox AS tools\nRUN echo ${word} > /tool\nFROM busybox\nCOPY --from=tools /tool /\nRUN echo ${word}`,
    }),
    outputs: [{ type: "cacheonly" }],
    onEvent(event) {
      if (event.type === "status")
        for (const { name, cached: isCached } of event.vertexes) if (isCached) cached.add(name);
    },
    ...options,
  });
  return [...cached].filter((name) => name.includes("RUN")).sort();
}

/** How many layers a cache's manifest in the registry has. */
async function layersOf(repository: string, tag: string): Promise<number> {
  const accept = "application/vnd.oci.image.manifest.v1+json";
  const response = await fetch(`http://${registry}/v2/${repository}/manifests/${tag}`, {
    headers: { accept },
  });
  expect(response.headers.get("content-type")).toBe(accept);
  return ((await response.json()) as { layers: unknown[] }).layers.length;
}

test("a cache in a registry: mode=max keeps stages, mode=min the image's own steps", async () => {
  const [max, min] = [`${registry}/caches/two:max`, `${registry}/caches/two:min`];
  const to = (ref: string, mode: string) => ({
    cacheTo: [{ type: "registry", attrs: { ref, mode, "image-manifest": "true", "oci-mediatypes": "true" } }],
  });
  // In this order: "min" takes whatever has been made into blobs before.
  await twoStages("registry", to(min, "min"));
  await twoStages("registry", to(max, "max"));
  expect(await layersOf("caches/two", "max")).toBeGreaterThan(await layersOf("caches/two", "min"));
  const from = (ref: string) => ({ cacheFrom: [{ type: "registry", attrs: { ref } }] });
  await startAgain();
  const ofMax = await twoStages("registry", { ...from(max), target: "tools" });
  expect(ofMax.map((name) => name.replace(/^\[[^\]]*\] /, ""))).toEqual(["RUN echo registry > /tool"]);
});

test("an inline cache travels in the image", async () => {
  const ref = `${registry}/caches/inline:1`;
  const image = { outputs: [{ type: "image", attrs: { push: "true", name: ref } }] } as const;
  await run("inline", { ...image, cacheTo: [{ type: "inline", attrs: {} }] });
  await startAgain();
  const again = await run("inline", { ...image, cacheFrom: [{ type: "registry", attrs: { ref } }] });
  expect(again.cached).toBe(true);
});

test("a local cache has tags, of which an import takes one", async () => {
  const dest = join(scratch, "tagged");
  for (const tag of ["a", "b"])
    await run(`tag ${tag}`, { cacheTo: [{ type: "local", attrs: { dest, tag } }] });
  const index = JSON.parse(await readFile(join(dest, "index.json"), "utf8")) as {
    manifests: { digest: string; annotations: Record<string, string> }[];
  };
  expect(index.manifests.map(({ annotations }) => annotations["org.opencontainers.image.ref.name"])).toEqual([
    "a",
    "b",
  ]);
  // The lock stays, as BuildKit's own clients leave it: others may hold it.
  expect((await readdir(dest)).sort()).toEqual(["blobs", "cache.lock", "index.json", "oci-layout"]);
  await startAgain();
  const from = (attrs: Record<string, string>) => ({
    cacheFrom: [{ type: "local", attrs: { src: dest, ...attrs } }],
  });
  expect(await run("tag a", from({ tag: "a" }))).toEqual({ cached: true, warnings: [] });
  const digest = index.manifests[1]?.digest ?? "";
  expect(await run("tag b", from({ digest }))).toEqual({ cached: true, warnings: [] });
  const { warnings } = await run("tag a", from({ tag: "none" }));
  expect(warnings).toEqual([expect.stringContaining(dest)]);
});

test("an export that fails ends the build, unless errors are to be ignored; an import that fails does not", async () => {
  const nowhere = "127.0.0.1:1/cache:1";
  const to = (attrs: Record<string, string>) => ({
    cacheTo: [{ type: "registry", attrs: { ref: nowhere, ...attrs } }],
  });
  await expect(run("five", to({}))).rejects.toThrow("127.0.0.1:1");
  await run("five", to({ "ignore-error": "true" }));
  await run("six", { cacheFrom: [{ type: "registry", attrs: { ref: nowhere } }] });
  const twice = { type: "registry", attrs: { ref: `${registry}/caches/twice` } };
  await expect(run("seven", { cacheTo: [twice, twice] })).rejects.toThrow("duplicate cache exports");
});

test("what the builder finds missing of s3, azblob and gha caches is told, with the variable that gives it", async () => {
  const env = { ...process.env, HOME: scratch, AWS_BUCKET: "", AWS_REGION: "" };
  const to = (type: string, attrs: Record<string, string>) =>
    run("eight", { env, cacheTo: [{ type, attrs }] });
  await expect(to("s3", {})).rejects.toThrow("$AWS_BUCKET");
  await expect(to("s3", { bucket: "b" })).rejects.toThrow("$AWS_REGION");
  await expect(to("azblob", {})).rejects.toThrow("BUILDKIT_AZURE_STORAGE_ACCOUNT_URL");
  const s3 = { bucket: "b", region: "r", endpoint_url: "http://127.0.0.1:1", use_path_style: "true" };
  const keys = { access_key_id: "x", secret_access_key: "canary-key" };
  await expect(to("s3", { ...s3, ...keys, retry_max_attempts: "1" })).rejects.toThrow(/127\.0\.0\.1:1/);
  // Outside of a workflow there is no such cache, and the build goes on without.
  await run("eight", { env, cacheTo: [{ type: "gha", attrs: {} }] });
  await expect(to("bogus", {})).rejects.toThrow("bogus");
});

test("the command ends with exit code 1 and names the attribute", async () => {
  await using place = await Workplace.open("caches");
  const context = await place.context({ Dockerfile: "FROM scratch\n" });
  const env = { BUILDX_CONFIG: process.env["BUILDX_CONFIG"] };
  for (const [flag, message] of [
    ["--cache-to=type=local", "local cache exporter requires dest"],
    ["--cache-to=type=registry", "registry cache exporter requires ref"],
    ["--cache-from=src=x", "type required for"],
    ["--cache-from=type=local", "local cache importer requires src"],
    ["--cache-to=type=registry,ref=x,mode=all", "invalid mode all"],
  ] as const) {
    const { exitCode, stdout, stderr } = await place.run(
      ["build", "--builder", builder.name, flag, context],
      { env },
    );
    expect({ flag, exitCode, stdout }).toEqual({ flag, exitCode: 1, stdout: "" });
    expect(stderr).toContain(message);
  }
});
