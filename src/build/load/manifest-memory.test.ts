import { createHash } from "node:crypto";
import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManifestMemory } from "./manifest-memory.js";

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), "slipway-manifests-"))));
afterEach(() => rm(dir, { recursive: true }));

const layer = {
  mediaType: "application/vnd.oci.image.layer.v1.tar",
  digest: `sha256:${"a".repeat(64)}`,
  size: 7,
};
const config = { ...layer, mediaType: "application/vnd.oci.image.config.v1+json" };
const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers: [layer] }));
const digest = `sha256:${createHash("sha256").update(manifest).digest("hex")}`;

test("a manifest is remembered by its digest, and one that was changed is not", async () => {
  const memory = new ManifestMemory(dir);
  await memory.add(digest, manifest);
  expect(await memory.layers(digest)).toEqual([expect.objectContaining({ digest: layer.digest, size: 7 })]);
  const [name = ""] = await readdir(dir);
  await writeFile(join(dir, name), "{}");
  expect(await memory.layers(digest)).toBeUndefined();
});

test("SEC-70 nothing is left where others can write", async () => {
  await chmod(dir, 0o777);
  await new ManifestMemory(dir).add(digest, manifest);
  expect(await readdir(dir)).toEqual([]);
});
