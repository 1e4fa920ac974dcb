import { createHash, randomBytes } from "node:crypto";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CacheLock } from "./cache-lock.js";
import { ContentStore } from "./content-store.js";
import { type Descriptor, findDescriptor, putDescriptor, removeUnreferencedBlobs } from "./oci-index.js";

let root: string;
let outside: string;
const hexOf = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");
const manifestType = "application/vnd.oci.image.manifest.v1+json";

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "slipway-layout-"));
  outside = await mkdtemp(join(tmpdir(), "slipway-outside-"));
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
  await rm(outside, { recursive: true, force: true });
});

async function blob(data: string, dir = join(root, "blobs/sha256")): Promise<string> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, hexOf(data)), data);
  return `sha256:${hexOf(data)}`;
}

async function write(store: ContentStore, data: Buffer): Promise<void> {
  const ingest = await store.writer("ref", data.length, "");
  try {
    await ingest.write(data);
    await ingest.commit(data.length, "");
  } finally {
    await ingest.close();
  }
}

describe("reset of a local cache", () => {
  it("removes files whose names are digests, and nothing else", async () => {
    const kept = await blob("kept");
    const descriptor: Descriptor = { mediaType: "x", digest: kept, size: 4 };
    await putDescriptor(root, descriptor, { tag: "latest" });
    await blob("garbage");
    await writeFile(join(root, "blobs/sha256", "notes.txt"), "");
    await mkdir(join(root, "blobs/sha256", "a".repeat(64)));
    await writeFile(join(outside, "thesis"), "");
    await symlink(join(outside, "thesis"), join(root, "blobs/sha256", "b".repeat(64)));
    await mkdir(join(root, "blobs/images"));
    await writeFile(join(root, "blobs/images", hexOf("x")), "");
    await symlink(outside, join(root, "blobs/sha512"));
    await writeFile(join(outside, "c".repeat(128)), "");
    expect(await removeUnreferencedBlobs(root)).toBe(1);
    expect((await readdir(join(root, "blobs/sha256"))).sort()).toEqual(
      ["notes.txt", "a".repeat(64), "b".repeat(64), kept.slice(7)].sort(),
    );
    expect(await readdir(join(root, "blobs/images"))).toHaveLength(1);
    expect(await readdir(outside)).toHaveLength(2);
  });

  it.each(["blobs", "blobs/sha256"])("removes nothing through a link in the place of %s", async (name) => {
    await mkdir(join(root, "blobs"));
    if (name === "blobs") await rm(join(root, "blobs"), { recursive: true });
    await blob("theirs", name === "blobs" ? join(outside, "sha256") : outside);
    await symlink(outside, join(root, name));
    expect(await removeUnreferencedBlobs(root)).toBe(0);
    expect(await readdir(outside)).toHaveLength(1);
  });

  it("removes nothing when a manifest of the index cannot be read", async () => {
    const broken = await blob("{");
    await blob("its layer, perhaps");
    await putDescriptor(root, { mediaType: manifestType, digest: broken, size: 1 }, { tag: "t" });
    await expect(removeUnreferencedBlobs(root)).rejects.toMatchObject({ code: "SESSION_OCI_INDEX" });
    expect(await readdir(join(root, "blobs/sha256"))).toHaveLength(2);
  });

  it("waits its turn: exporters share cache.lock, as BuildKit's clients from 0.33 on do", async () => {
    const one = new CacheLock(root);
    const two = new CacheLock(root);
    await Promise.all([one.share(), two.share(), one.share()]);
    const alone = () => new CacheLock(root).alone(() => Promise.resolve());
    expect(await alone()).toBe(false);
    await one.close();
    expect(await alone()).toBe(false);
    await two.close();
    expect(await alone()).toBe(true);
    await expect(one.share()).rejects.toMatchObject({ code: "ABORTED" });
    expect(await readdir(root)).toEqual(["cache.lock"]);
    // Another process
    const holder = spawn("sh", [
      "-c",
      'exec 9>>"$0"; flock -s 9; echo; exec sleep 60',
      join(root, "cache.lock"),
    ]);
    await once(holder.stdout, "data");
    expect(await alone()).toBe(false);
    holder.kill("SIGKILL");
  });
});

describe("a layout with planted links", () => {
  it.each(["blobs", "blobs/sha256", "ingest"])("is not written to through %s", async (name) => {
    if (name === "blobs/sha256") await mkdir(join(root, "blobs"));
    await symlink(outside, join(root, name));
    const store = new ContentStore(root, { access: "read-write" });
    await expect(write(store, randomBytes(100))).rejects.toThrow(`${root}/${name} is a link or no directory`);
    expect(await readdir(outside)).toEqual([]);
    if (name === "ingest") expect(await store.statuses()).toEqual([]);
  });

  it("no lock and no index is made where a link leads", async () => {
    await symlink(join(outside, "made"), join(root, "index.json.lock"));
    const descriptor: Descriptor = { mediaType: "x", digest: `sha256:${"0".repeat(64)}`, size: 0 };
    await expect(putDescriptor(root, descriptor, { tag: "t" })).rejects.toMatchObject({ code: "ELOOP" });
    await rm(join(root, "index.json.lock"));
    await symlink(join(outside, "made"), join(root, "cache.lock"));
    await expect(new CacheLock(root).share()).rejects.toMatchObject({ code: "ELOOP" });
    await writeFile(join(outside, "index.json"), '{"schemaVersion":2,"secret":1}');
    await symlink(join(outside, "index.json"), join(root, "index.json"));
    await expect(putDescriptor(root, descriptor, { tag: "t" })).rejects.toMatchObject({
      code: "SESSION_OCI_INDEX",
    });
    expect(await readdir(outside)).toEqual(["index.json"]);
  });

  it.each(["blobs", "blobs/sha256"])("hands out through %s only what has the digest", async (name) => {
    const theirs = name === "blobs" ? join(outside, "sha256") : outside;
    const right = await blob("right", theirs);
    const wrong = "d".repeat(64);
    await writeFile(join(theirs, wrong), "secret");
    if (name === "blobs/sha256") await mkdir(join(root, "blobs"));
    await symlink(outside, join(root, name));
    const store = new ContentStore(root);
    const { handle } = await store.open(right);
    expect((await handle.readFile()).toString()).toBe("right");
    await handle.close();
    await expect(store.open(`sha256:${wrong}`)).rejects.toThrow(/not found/);
    await expect(store.info(`sha256:${wrong}`)).rejects.toThrow(/not found/);
  });

  it("an index that is a pipe or has no end is an error", async () => {
    execFileSync("mkfifo", [join(root, "index.json")]);
    await expect(findDescriptor(root, "t")).rejects.toThrow(/named pipe/);
    await rm(join(root, "index.json"));
    await symlink("/dev/zero", join(root, "index.json"));
    await expect(findDescriptor(root, "t")).rejects.toThrow(/device/);
  });
});

it("a full disk leaves no ingest behind, and is named", async () => {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "slipway-test", root], { stdio: "ignore" });
  } catch {
    return; // needs root and the right to mount
  }
  try {
    const store = new ContentStore(root, { access: "read-write" });
    await write(store, randomBytes(1000));
    await expect(write(store, randomBytes(500_000))).rejects.toMatchObject({ code: "ENOSPC" });
    expect(await readdir(root)).toEqual(["blobs"]);
    expect(await readdir(join(root, "blobs/sha256"))).toHaveLength(1);
  } finally {
    execFileSync("umount", [root]);
  }
});
