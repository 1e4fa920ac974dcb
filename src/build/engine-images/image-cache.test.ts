import { mkdir, mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pack } from "tar-stream";
import { ImageCache } from "./image-cache.js";

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-image-cache-"));
});

afterEach(() => rm(dir, { recursive: true, force: true }));

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

test("an image is saved once", async () => {
  const cache = new ImageCache(dir);
  let saves = 0;
  const save = () => (saves++, saved("one"));
  const first = await cache.get("sha256:1", save);
  expect(await cache.get("sha256:1", save)).toEqual(first);
  expect(saves).toBe(1);
});

test("a save that fails leaves nothing, and the next one is tried", async () => {
  const cache = new ImageCache(dir);
  const broken = async () => Readable.from([(await buffer(await saved("one"))).subarray(0, 700)]);
  await expect(cache.get("sha256:1", broken)).rejects.toThrow();
  expect(await readdir(dir)).toEqual([]);
  await cache.get("sha256:1", () => saved("one"));
  await expect(cache.get("sha256:2", () => Promise.resolve(Readable.from([])))).rejects.toMatchObject({
    code: "ENGINE_IMAGE",
  });
});

test("those not used for longest go, and what killed builds have left", async () => {
  const cache = new ImageCache(dir);
  await mkdir(join(dir, ".saving-dead"));
  await mkdir(join(dir, ".saving-live"));
  const old = new Date(Date.now() - 48 * 3600 * 1000);
  await utimes(join(dir, ".saving-dead"), old, old);
  for (let id = 0; id < 9; id++) {
    await cache.get(`sha256:${id}`, () => saved(`image ${id}`));
    const time = new Date(Date.now() - 3600_000 + id * 1000);
    await utimes(join(dir, `sha256-${id}`), time, time);
  }
  const names = await readdir(dir);
  expect(names.sort()).toEqual([".saving-live", ...[1, 2, 3, 4, 5, 6, 7, 8].map((id) => `sha256-${id}`)]);
});
