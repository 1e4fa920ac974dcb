import { mkdtemp, readdir, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pack } from "tar-stream";
import { ImageCache } from "./image-cache.js";

let root: string;
let dir: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "slipway-image-cache-"));
  // Not in the temporary directory itself, to which everybody can write.
  dir = join(root, "images");
});

afterEach(() => rm(root, { recursive: true, force: true }));

/** What engines before 25.0 save. */
async function saved(text: string): Promise<Readable> {
  const archive = pack();
  archive.entry({ name: "config.json" }, JSON.stringify({ text }));
  archive.entry({ name: "layer.tar" }, text);
  archive.entry(
    { name: "manifest.json" },
    JSON.stringify([{ Config: "config.json", Layers: ["layer.tar"] }]),
  );
  archive.finalize();
  return Readable.from([await buffer(archive)]);
}

const held = async () => (await readdir(dir)).filter((name) => name !== ".lock").sort();

test("an image is saved once", async () => {
  const cache = new ImageCache(dir);
  let saves = 0;
  const save = () => (saves++, saved("one"));
  const { lease, ...first } = await cache.get("sha256:1", save);
  await lease.close();
  const { lease: again, ...second } = await cache.get("sha256:1", save);
  await again.close();
  expect(second).toEqual(first);
  expect(saves).toBe(1);
});

test("a save that fails leaves nothing, and the next one is tried", async () => {
  const cache = new ImageCache(dir);
  const broken = async () => Readable.from([(await buffer(await saved("one"))).subarray(0, 700)]);
  await expect(cache.get("sha256:1", broken)).rejects.toThrow();
  expect(await held()).toEqual([]);
  await (await cache.get("sha256:1", () => saved("one"))).lease.close();
  await expect(cache.get("sha256:2", () => Promise.resolve(Readable.from([])))).rejects.toMatchObject({
    code: "ENGINE_IMAGE",
  });
});

test("twelve of one build all stay until it ends", async () => {
  const cache = new ImageCache(dir);
  const ids = Array.from({ length: 12 }, (_, at) => `sha256:${at}`);
  const images = await Promise.all(ids.map((id) => cache.get(id, () => saved(id))));
  for (const { path } of images) expect(await readdir(path)).toEqual(["blobs", "content.json"]);
  for (const { lease } of images) await lease.close();
  expect(await held()).toHaveLength(8);
});

test.each([
  ["a blob is gone", (blob: string) => rm(blob)],
  ["a blob is cut off", (blob: string) => truncate(blob, 1)],
])("an image of which %s is saved anew", async (_, spoil) => {
  const cache = new ImageCache(dir);
  const { path, digest, lease } = await cache.get("sha256:1", () => saved("one"));
  await lease.close();
  const [blob = ""] = await readdir(join(path, "blobs/sha256"));
  await spoil(join(path, "blobs/sha256", blob));
  let saves = 0;
  const again = await cache.get("sha256:1", () => (saves++, saved("one")));
  expect([saves, again.digest]).toEqual([1, digest]);
  expect(await readdir(join(path, "blobs/sha256"))).toContain(blob);
  await again.lease.close();
  expect(await held()).toEqual(["sha256-1"]);
});
