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
