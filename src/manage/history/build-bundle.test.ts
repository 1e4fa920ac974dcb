import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeHistory, endedBuild } from "../../../test/support/fake-history.js";
import { type BuildHistory, bundleBuilds } from "../index.js";

let fake: FakeHistory;
let builds: BuildHistory;
beforeEach(async () => {
  fake = await FakeHistory.open();
  builds = await fake.history();
});
afterEach(async () => {
  await builds.close();
  await fake[Symbol.asyncDispose]();
});

/** The entries of a bundle, by name. */
async function unpacked(bundle: Readable): Promise<Map<string, Buffer>> {
  const entries = new Map<string, Buffer>();
  const tar = extract();
  const taking = (async () => {
    for await (const entry of tar) {
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      entries.set(entry.header.name, Buffer.concat(chunks));
    }
  })();
  await Promise.all([pipeline(bundle, createGunzip(), tar as unknown as Writable), taking]);
  return entries;
}

interface Listed {
  mediaType: string;
  digest: string;
  annotations?: Record<string, string>;
}

async function bundled(ids: readonly string[]) {
  const records = await Promise.all(ids.map((id) => builds.record(id)));
  const entries = await unpacked(await bundleBuilds(builds, records));
  const json = (name: string) => JSON.parse(entries.get(name)?.toString() ?? "null") as never;
  const blob = (digest: string) => json(`blobs/${digest.replace(":", "/")}`);
  const { manifests } = json("index.json") as { manifests: [Listed] };
  return { entries, json, blob, root: manifests[0] };
}

/** As a build with everything is remembered. */
function wholeBuild(id: string) {
  const span = { Name: "run", Attributes: [{ Key: "k", Value: { Type: "STRING", Value: "token=abc" } }] };
  return endedBuild(id, {
    FrontendAttrs: {
      filename: "Dockerfile",
      "cache-imports": JSON.stringify([{ Type: "gha", Attrs: { scope: "s", token: "abc" } }]),
    },
    Exporters: [{ Type: "image", Attrs: { name: "app" } }],
    error: { code: 2, message: "no", details: [{ typeUrl: "a/b", value: Buffer.from("x") }] },
    externalError: fake.store(`error of ${id}`),
    logs: fake.store("x".repeat(300_000)),
    trace: fake.store(`${JSON.stringify(span)}\n${JSON.stringify(span)}`, "application/otlp"),
    Result: {
      ResultDeprecated: fake.store("old"),
      Attestations: [fake.store("attestation", "application/vnd.in-toto+json")],
      Results: { 0: fake.store({ config: 1 }, "application/vnd.oci.image.manifest.v1+json") },
    },
    Results: { "linux/arm64": { Results: { 0: fake.store("r") } }, "linux/amd64": {} },
  });
}

test("a build is bundled with all that belongs to it, and without credentials", async () => {
  fake.records.push(wholeBuild("one"));
  const { root, blob, entries } = await bundled(["one"]);
  const { config, layers } = blob(root.digest) as { config: Listed; layers: Listed[] };
  const record = blob(config.digest) as { Ref: string; trace: Listed; DefaultPlatform: string };
  expect(record).toMatchObject({
    Ref: "one",
    DefaultPlatform: "linux/arm64",
    FrontendAttrs: { "cache-imports": '[{"Type":"gha","Attrs":{"scope":"s"}}]' },
    error: { details: [{ type_url: "a/b", value: "eA==" }] },
  });
  expect(entries.get(`blobs/${record.trace.digest.replace(":", "/")}`)?.toString()).not.toContain("abc");
  expect(layers.map(({ mediaType }) => mediaType)).toEqual([
    "application/otlp",
    "application/json",
    "application/vnd.in-toto+json",
    "application/json",
    "application/json",
    "application/json",
  ]);
  const result = layers.find(({ annotations }) => annotations);
  expect(result?.annotations).toEqual({
    "vnd.export-build.descriptor.mediatype": "application/vnd.oci.image.manifest.v1+json",
  });
});

test("builds are bundled in an index, blobs that they share once; cache imports that cannot be read are left out", async () => {
  fake.records.push(wholeBuild("one"), wholeBuild("two"));
  fake.records.push(
    endedBuild("three", { FrontendAttrs: { "cache-imports": "[" } }),
    endedBuild("four", { FrontendAttrs: { "cache-imports": '{"a":1}' } }),
  );
  const { root, blob } = await bundled(["one", "two", "three", "four"]);
  const { manifests } = blob(root.digest) as { manifests: Listed[] };
  expect(manifests.map(({ annotations }) => annotations?.["vnd.buildkit.history.reference"])).toEqual([
    "one",
    "two",
    "three",
    "four",
  ]);
});

test.each([
  ["logs", "HISTORY_MISSING"],
  ["trace", "HISTORY_MISSING"],
] as const)(
  "%s that the builder no longer has are named",
  async (what, code) => {
    fake.records.push(
      endedBuild("one", { [what]: { ...fake.store("x"), digest: `sha256:${"0".repeat(64)}` } }),
    );
    const record = await builds.record("one");
    await expect(bundleBuilds(builds, [record]).then(unpacked)).rejects.toMatchObject({ code });
  },
  5_000,
);

test("a bundle whose reading begins late has its error kept for the reader", async () => {
  const logs = fake.store("x".repeat(100_000));
  fake.records.push(endedBuild("one", { logs }));
  const record = await builds.record("one");
  fake.blobs.clear();
  const bundle = await bundleBuilds(builds, [record]);
  // Nobody listens while it breaks.
  await vi.waitUntil(() => bundle.closed);
  expect(bundle.errored).toMatchObject({ code: "HISTORY_MISSING" });
  await expect(unpacked(bundle)).rejects.toThrow();
});

test.each(["that sends", "that is silent"])(
  "a reader that goes away ends the reading of a builder %s",
  async (how) => {
    const logs = { ...fake.store("x"), size: 100n << 20n };
    fake.records.push(endedBuild("one", { logs }));
    const record = await builds.record("one");
    fake.script.read = async function* (_digest, call) {
      for (let offset = 0n; ; offset += 65_536n) {
        // Nothing that gzip makes little of.
        yield { offset, data: crypto.getRandomValues(new Uint8Array(65_536)) };
        if (how === "that sends") continue;
        await once(call.signal, "abort");
        return;
      }
    };
    const bundle = await bundleBuilds(builds, [record]);
    await once(bundle, "readable");
    bundle.destroy();
    await expect.poll(() => fake.reads).toBe(0);
  },
);

test("a bundle that is cancelled breaks off with the reason", async () => {
  const logs = { ...fake.store("x"), size: 100n << 20n };
  fake.records.push(endedBuild("one", { logs }));
  const record = await builds.record("one");
  const abort = new AbortController();
  fake.script.read = async function* (_digest, call) {
    yield { offset: 0n, data: new Uint8Array(10) };
    abort.abort(new Error("enough"));
    await once(call.signal, "abort");
  };
  const bundle = await bundleBuilds(builds, [record], { signal: abort.signal });
  await expect(unpacked(bundle)).rejects.toMatchObject({ code: "ABORTED" });
  await expect(bundleBuilds(builds, [record], { signal: abort.signal })).rejects.toMatchObject({
    code: "ABORTED",
  });
});

test.each([1n, 100_000n])(
  "a blob that is not as long as its record says (%i bytes) breaks the bundle",
  async (size) => {
    fake.records.push(endedBuild("one", { logs: { ...fake.store("x".repeat(1000)), size } }));
    const bundle = await bundleBuilds(builds, [await builds.record("one")]);
    await expect(unpacked(bundle)).rejects.toMatchObject({ code: "HISTORY_INVALID" });
  },
);

test.each([[undefined], [[undefined]], [["one"]], ["one"]])(
  "what is no list of records is refused: %j",
  async (records) => {
    await expect(bundleBuilds(builds, records as never)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  },
);
