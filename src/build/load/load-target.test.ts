import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { Readable } from "node:stream";
import { extract, pack } from "tar-stream";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeEngine, type RecordedCall } from "../../../test/support/fake-engine.js";
import { type PlainDaemon, plainDaemon } from "../../../test/support/plain-daemon.js";
import { BuildkitClient } from "../../buildkit/index.js";
import { Content } from "../../buildkit/gen/containerd/services/content/v1/content_pb.js";
import type { BuildEvent } from "../../core/index.js";
import { EngineClient } from "../../engine-api/index.js";
import { GrpcError, grpcCodes } from "../../http2/index.js";
import { service } from "../../session/index.js";
import { AskedNames } from "../asked-names.js";
import { Turns } from "../turns.js";
import { loadTarget } from "./load-target.js";
import { ManifestMemory } from "./manifest-memory.js";

const name = "docker.io/library/app:1";
const sha256 = (bytes: Buffer | string) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const descriptor = (bytes: Buffer | string) => ({
  mediaType: "application/octet-stream",
  digest: sha256(bytes),
  size: bytes.length,
});

// The engine knows layers by the digests of their uncompressed bytes.
const layers = [Buffer.alloc(3_000, "a"), Buffer.alloc(200_000, "b")];
const [lower = Buffer.alloc(0), upper = Buffer.alloc(0)] = layers;
const diffIds = ["lower", "upper"].map(sha256);
const config = JSON.stringify({ rootfs: { type: "layers", diff_ids: diffIds } });
const manifest = JSON.stringify({
  schemaVersion: 2,
  config: descriptor(config),
  layers: layers.map(descriptor),
});
const digest = sha256(manifest);

/** Names of the files in an archive, of blobs the digests alone. */
async function namesIn(archive: Buffer): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Readable.from([archive]).pipe(extract())) {
    names.push(entry.header.name.replace("blobs/sha256/", "sha256:"));
    entry.resume();
  }
  return names;
}

/** The archive that the builder would send itself. */
async function wholeArchive(): Promise<Buffer> {
  const tar = pack();
  const blob = (bytes: Buffer | string) =>
    tar.entry({ name: `blobs/${sha256(bytes).replace(":", "/")}` }, bytes as Buffer);
  for (const bytes of [manifest, config, ...layers]) blob(bytes);
  const annotations = { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": "1" };
  tar.entry(
    { name: "index.json" },
    JSON.stringify({ manifests: [{ ...descriptor(manifest), annotations }] }),
  );
  tar.finalize();
  return buffer(tar);
}

let engine: FakeEngine;
let client: EngineClient;
let daemon: PlainDaemon;
let builder: BuildkitClient;
let blobs: Map<string, Buffer | string>;
let dir: string;
let seen: Set<string>;
let events: BuildEvent[];
/** What was loaded: the names in each archive. */
let loaded: string[][];

beforeEach(async () => {
  engine = await FakeEngine.start({ apiVersion: "1.48" });
  client = EngineClient.open({ host: engine.host });
  blobs = new Map([manifest, config, ...layers].map((bytes) => [sha256(bytes), bytes]));
  daemon = plainDaemon(
    service(Content, {
      async *read({ digest: wanted }) {
        const bytes = blobs.get(wanted);
        if (bytes === undefined) throw new GrpcError(grpcCodes.notFound, "no such blob");
        yield { offset: 0n, data: Buffer.from(bytes as Buffer) };
      },
    }),
  );
  builder = await BuildkitClient.connect(daemon.dial);
  dir = await mkdtemp(join(tmpdir(), "slipway-load-"));
  seen = new Set();
  events = [];
  loaded = [];
  engine
    .on("GET", "/images/json", (call) => call.json([]))
    .on("POST", "/images/load", async (call) => {
      loaded.push(await namesIn(await call.body()));
      call.lines([{ stream: "Loaded image: app:1\n" }]);
    })
    .on("POST", /^\/images\/(?<id>.+)\/tag$/, (call) => call.empty(201))
    .on("DELETE", /^\/images\/(?<id>.+)$/, (call) => call.json([]));
});
afterEach(async () => {
  vi.useRealTimers();
  await builder.close();
  await daemon[Symbol.asyncDispose]();
  await client.close();
  await engine.close();
  await rm(dir, { recursive: true });
});

const memory = () => new ManifestMemory(join(dir, "manifests"));

/** Opens the target as the session does when the builder announces the image. */
async function announce(containerdStore: boolean, { signal, metadata = {} }: Announced = {}) {
  const target = loadTarget({
    turns: new Turns(1),
    client: builder,
    engine: client,
    containerdStore,
    memory: memory(),
    asked: new AskedNames("app:1"),
    seen,
    sink: (event) => void events.push(event),
    signal,
  });
  const known = { "containerimage.digest": digest, "image.name": name, ...metadata };
  return target.open(new Map(Object.entries(known)), new AbortController().signal);
}

interface Announced {
  signal?: AbortSignal;
  metadata?: Record<string, string>;
}

/** Ends a load for which the builder's own archive is wanted. */
async function sendWhole(taken: Awaited<ReturnType<typeof announce>>): Promise<void> {
  if (!taken) throw new Error("no archive was wanted");
  const bytes = await wholeArchive();
  await new Promise<void>((resolve, reject) => {
    taken.once("error", reject).once("finish", resolve).end(bytes);
  });
}

const statuses = () =>
  events.flatMap((event) => (event.type === "status" ? event.statuses.map((one) => one.name) : []));
const paths = (method: string) =>
  engine.calls.filter((call) => call.method === method).map(({ path }) => decodeURIComponent(path));
const inspected = (id: string, chain: readonly string[] = diffIds) => ({
  Id: id,
  RootFS: { Type: "layers", Layers: chain },
});

/** The engine finds images by these ids and names. */
function finds(images: Record<string, object>): void {
  engine.on("GET", /^\/images\/(?<id>.+)\/json$/, (call) => {
    const image = images[decodeURIComponent(call.params["id"] ?? "")];
    if (image) call.json(image);
    else call.refuse(404, "No such image");
  });
}

/** The caller's signal aborts as soon as the engine gets a call of this kind, which it never answers. */
function cancelAt(method: string, path: string | RegExp) {
  const controller = new AbortController();
  let held: RecordedCall | undefined;
  engine.on(method, path, () => {
    held = engine.calls.at(-1);
    controller.abort(new Error("not wanted any more"));
  });
  return { signal: controller.signal, held: () => held };
}

describe("a classic store", () => {
  const imageId = sha256(config);

  test("FLT-23 gets nothing but a name when it has the image", async () => {
    finds({ [imageId]: inspected(imageId) });
    expect(await announce(false)).toBeUndefined();
    expect(loaded).toEqual([]);
    expect(paths("POST")).toEqual([`/images/${imageId}/tag`]);
    expect([...seen].sort()).toEqual([digest, imageId].sort());
    expect(statuses()).toContain(`image ${imageId.slice(7, 19)} already present`);
  });

  test.each([
    ["by its name", ["app:1", "other:2"], []],
    ["by the name's complete form", [name], []],
    ["by another tag", ["app:2", "<none>:<none>"], [`/images/${imageId}/tag`]],
    ["by the name of somebody else's", ["somebody/app:1"], [`/images/${imageId}/tag`]],
  ])("that has the image %s gets no name that it has", async (_, RepoTags, posts) => {
    finds({ [imageId]: { ...inspected(imageId), RepoTags } });
    expect(await announce(false)).toBeUndefined();
    expect(paths("POST")).toEqual(posts);
    expect(seen.has(imageId)).toBe(true);
  });

  test("gets the layer that it lacks, and no other", async () => {
    let after = false;
    engine.on("GET", /^\/images\/(?<id>.+)\/json$/, (call) => {
      const id = decodeURIComponent(call.params["id"] ?? "");
      after ||= loaded.length > 0;
      if (id === name) call.json(inspected("sha256:old", [diffIds[0] ?? "", sha256("older")]));
      else if (id === imageId && after) call.json(inspected(imageId));
      else call.refuse(404, "No such image");
    });
    expect(await announce(false)).toBeUndefined();
    expect(loaded).toEqual([["manifest.json", digest, imageId, sha256(upper)]]);
    expect(statuses()).toContain(`layer ${sha256(lower).slice(7, 19)} already present`);
    expect(statuses()).toContain(`loading layer ${sha256(upper).slice(7, 19)}`);
  });

  test("that claims a layer it has lost gets the whole image", async () => {
    finds({ [name]: inspected("sha256:old") });
    engine.on("POST", "/images/load", async (call) => {
      loaded.push(await namesIn(await call.body()));
      call.lines(call.count === 1 ? [{ error: "layer does not exist" }] : [{ stream: "Loaded image\n" }]);
    });
    await sendWhole(await announce(false));
    expect(loaded.map((each) => each.includes(sha256(lower)))).toEqual([false, true]);
    expect(statuses()).toContain("sending the whole image instead");
    expect(seen).toContain(digest);
  });

  test("that refuses both ways fails the load with its own words", async () => {
    finds({});
    engine.on("POST", "/images/load", async (call) => {
      await call.body();
      call.refuse(500, "no space left on device");
    });
    const taken = await announce(false);
    await expect(sendWhole(taken)).rejects.toMatchObject({
      message: expect.stringContaining("no space left on device") as string,
    });
  });

  test("that is slow is waited for", async () => {
    let answer = () => {};
    let isWaiting = () => {};
    const waiting = new Promise<void>((resolve) => (isWaiting = resolve));
    engine.on("GET", /^\/images\/(?<id>.+)\/json$/, (call) =>
      loaded.length > 0 ? call.json(inspected(imageId)) : call.refuse(404, "No such image"),
    );
    engine.on("POST", "/images/load", async (call) => {
      loaded.push(await namesIn(await call.body()));
      isWaiting();
      await new Promise<void>((resolve) => (answer = resolve));
      call.lines([{ stream: "Loaded image\n" }]);
    });
    let isOver = false;
    const loading = announce(false).finally(() => (isOver = true));
    await waiting;
    await new Promise(setImmediate);
    expect(isOver).toBe(false);
    answer();
    expect(await loading).toBeUndefined();
  });

  test.each([
    ["inspecting", "GET", /^\/images\/.+\/json$/],
    ["listing", "GET", "/images/json"],
    ["loading", "POST", "/images/load"],
  ] as const)("is let go when the load is cancelled while %s", async (_, method, path) => {
    finds({});
    const { signal, held } = cancelAt(method, path);
    await expect(announce(false, { signal })).rejects.toMatchObject({ code: "ABORTED" });
    await engine.closed(held());
    expect(loaded).toEqual([]);
  });

  test("is not asked to take an index apart", async () => {
    finds({});
    const index = JSON.stringify({ manifests: [descriptor(manifest), descriptor(manifest)] });
    blobs.set(sha256(index), index);
    await sendWhole(await announce(false, { metadata: { "containerimage.digest": sha256(index) } }));
    expect(loaded).toHaveLength(1);
  });
});

describe("a containerd store", () => {
  const holds = (...digests: string[]) => [
    { Id: "x", Manifests: digests.map((one) => ({ Available: true, Descriptor: { digest: one } })) },
  ];

  /** It has everything of the image, and tells so, once an archive was loaded. */
  function takesWhatComes(before: object[] = []): void {
    engine
      .on("GET", "/images/json", (call) => call.json(loaded.length > 0 ? holds(digest) : before))
      .on("GET", /^\/images\/(?<id>.+)\/json$/, (call) =>
        loaded.length > 0 ? call.json(inspected(digest)) : call.refuse(404, "No such image"),
      );
  }

  test("gets nothing but a name when it has the image", async () => {
    engine.on("GET", "/images/json", (call) => call.json(holds(digest)));
    finds({ [digest]: inspected(digest) });
    expect(await announce(true)).toBeUndefined();
    expect(loaded).toEqual([]);
    expect(paths("POST")).toEqual([`/images/${digest}/tag`]);
    // What it holds is known to the next load.
    expect(await memory().layers(digest)).toHaveLength(2);
  });

  test("gets the layer that it lacks, by a name that goes again", async () => {
    const earlier = JSON.stringify({
      schemaVersion: 2,
      config: descriptor(config),
      layers: [descriptor(lower)],
    });
    await memory().add(sha256(earlier), Buffer.from(earlier));
    takesWhatComes(holds(sha256(earlier)));
    expect(await announce(true)).toBeUndefined();
    expect(loaded).toEqual([["oci-layout", "index.json", digest, sha256(config), sha256(upper)]]);
    const [removed = ""] = paths("DELETE");
    expect(removed).toMatch(/^\/images\/docker\.io\/library\/slipway-load-[0-9a-f]{16}:latest$/);
    expect(paths("POST").at(-1)).toBe(`${removed}/tag`);
    expect(seen).toContain(sha256(config));
  });

  test("that claims a layer it has lost keeps its names, and gets the whole image", async () => {
    const earlier = JSON.stringify({
      schemaVersion: 2,
      config: descriptor("{}"),
      layers: layers.map(descriptor),
    });
    await memory().add(sha256(earlier), Buffer.from(earlier));
    engine.on("GET", "/images/json", (call) => call.json(holds(sha256(earlier))));
    engine.on("GET", /^\/images\/(?<id>.+)\/json$/, (call) => call.json(inspected(digest)));
    await sendWhole(await announce(true));
    expect(loaded.map((each) => each.includes(sha256(upper)))).toEqual([false, true]);
    expect(paths("POST")).toEqual(["/images/load", "/images/load"]);
    expect(paths("DELETE")).toHaveLength(1);
    expect(await memory().layers(digest)).toBeUndefined();
  });

  test("whose answer breaks off gets the whole image", async () => {
    takesWhatComes();
    engine.on("POST", "/images/load", async (call) => {
      if (call.count === 1) return call.cut();
      loaded.push(await namesIn(await call.body()));
      call.lines([]);
    });
    await sendWhole(await announce(true));
    expect(loaded).toHaveLength(1);
    expect(paths("DELETE")).toHaveLength(1);
  });

  test.each([
    ["listing", "GET", "/images/json"],
    ["loading", "POST", "/images/load"],
  ] as const)("is let go when the load is cancelled while %s", async (_, method, path) => {
    finds({});
    const { signal, held } = cancelAt(method, path);
    await expect(announce(true, { signal })).rejects.toMatchObject({ code: "ABORTED" });
    await engine.closed(held());
    // The name for the time of the load goes also then.
    expect(paths("DELETE")).toHaveLength(method === "POST" ? 1 : 0);
  });

  test("is let go when the load is cancelled while it is asked for the image", async () => {
    engine.on("GET", "/images/json", (call) => call.json(holds(digest)));
    const { signal, held } = cancelAt("GET", /^\/images\/.+\/json$/);
    await expect(announce(true, { signal })).rejects.toMatchObject({ code: "ABORTED" });
    await engine.closed(held());
    expect(loaded).toEqual([]);
  });

  test("that says nothing any more does not hold up a cancelled load", async () => {
    finds({});
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    engine.on("DELETE", /^\/images\/.+$/, () => void vi.advanceTimersByTime(5_000));
    const { signal } = cancelAt("POST", "/images/load");
    await expect(announce(true, { signal })).rejects.toMatchObject({ code: "ABORTED" });
    expect(paths("DELETE")).toHaveLength(1);
  });

  test("gets no image without a name in parts", async () => {
    takesWhatComes();
    await sendWhole(await announce(true, { metadata: { "image.name": "" } }));
    expect(loaded).toHaveLength(1);
  });
});

test("a builder that has no blob to give sends its archive", async () => {
  blobs.clear();
  await sendWhole(await announce(true));
  expect(loaded).toHaveLength(1);
});

test("a layer that the builder loses on the way is taken from its archive", async () => {
  finds({});
  blobs.delete(sha256(upper));
  engine.on("POST", "/images/load", async (call) => {
    const body = await call.body().catch(() => undefined); // the first one breaks off
    if (!body) return;
    loaded.push(await namesIn(body));
    call.lines([{ stream: "Loaded image\n" }]);
  });
  await sendWhole(await announce(false));
  expect(loaded).toHaveLength(1);
  expect(statuses()).toContain("sending the whole image instead");
});

test("a builder that announces no digest sends its archive, and is not asked for blobs", async () => {
  const target = loadTarget({
    turns: new Turns(1),
    client: builder,
    engine: client,
    containerdStore: true,
    memory: memory(),
    asked: new AskedNames("app:1"),
    seen,
  });
  const taken = await target.open(new Map([["image.name", name]]), new AbortController().signal);
  expect(daemon.calls).toEqual([]);
  await sendWhole(taken);
});

test("a name that was not asked for is refused before anything is loaded", async () => {
  const metadata = { "image.name": "docker.io/library/busybox:latest" };
  await expect(announce(true, { metadata })).rejects.toMatchObject({ code: "BUILDER_CLAIM" });
  expect(engine.calls).toEqual([]);
});
