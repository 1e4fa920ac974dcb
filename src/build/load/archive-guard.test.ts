import { createHash } from "node:crypto";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { type Header, pack } from "tar-stream";
import { expect, test } from "vitest";
import { AskedNames } from "../asked-names.js";
import { ArchiveGuard } from "./archive-guard.js";

const hex = (text: string) => createHash("sha256").update(text).digest("hex");
const config = '{"rootfs":{"diff_ids":[]}}';
const manifest = JSON.stringify({ config: { digest: `sha256:${hex(config)}` }, layers: [] });
const layer = "x".repeat(10_000);

type Entry = [header: string | (Partial<Header> & { name: string }), content?: string];

interface Parts {
  name?: string;
  repoTags?: unknown;
  blob?: string;
  index?: object;
  more?: Entry[];
}

/** An archive as BuildKit's docker exporter makes it, with something else in one place. */
async function archive({
  name = "docker.io/library/app:1",
  repoTags = ["app:1"],
  blob = manifest,
  index = {},
  more = [],
}: Parts) {
  const tag = name.slice(name.lastIndexOf(":") + 1);
  const annotations = { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": tag };
  const descriptor = {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: `sha256:${hex(manifest)}`,
    size: manifest.length,
    annotations,
    ...index,
  };
  const image = {
    Config: `blobs/sha256/${hex(config)}`,
    RepoTags: repoTags,
    Layers: [`blobs/sha256/${hex(layer)}`],
  };
  const entries: Entry[] = [
    [{ name: "blobs/", type: "directory" }],
    [{ name: "blobs/sha256/", type: "directory" }],
    [`blobs/sha256/${hex(manifest)}`, blob],
    [`blobs/sha256/${hex(config)}`, config],
    [`blobs/sha256/${hex(layer)}`, layer],
    ...more,
    ["index.json", JSON.stringify({ schemaVersion: 2, manifests: [descriptor] })],
    ["manifest.json", JSON.stringify([image])],
    ["oci-layout", '{"imageLayoutVersion":"1.0.0"}'],
  ];
  const tar = pack();
  for (const [header, content = ""] of entries)
    tar.entry(typeof header === "string" ? { name: header } : header, content);
  tar.finalize();
  return buffer(tar);
}

function guarded(bytes: Buffer, { names = "app:1", step = bytes.length } = {}) {
  const guard = new ArchiveGuard(new AskedNames(names));
  const passed: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += step) passed.push(...guard.push(bytes.subarray(at, at + step)));
  const digests = guard.end();
  return { passed: Buffer.concat(passed), digests };
}

test.each([1, 7, 511, 512, 513, 4096, 1 << 20])(
  "passes an archive on as it is, in pieces of %d",
  async (step) => {
    const bytes = await archive({});
    const { passed, digests } = guarded(bytes, { step });
    expect(passed.equals(bytes)).toBe(true);
    expect(digests).toContain(`sha256:${hex(manifest)}`);
  },
);

test("takes an image without a name, and any name where the frontend was to choose", async () => {
  guarded(await archive({ repoTags: null, index: { annotations: {} } }), { names: "" });
  guarded(await archive({ repoTags: ["other:2"], name: "docker.io/library/other:2" }), { names: "*" });
});

const attacks: Record<string, Parts> = {
  "another name in manifest.json": { repoTags: ["busybox:latest"] },
  "a further name in manifest.json": { repoTags: ["app:1", "app:2"] },
  "another name in index.json": { name: "docker.io/library/busybox:latest" },
  "another name as a tag": { index: { annotations: { "org.opencontainers.image.ref.name": "busybox" } } },
  "a name that is no text": { repoTags: [7] },
  "names that are no list": { repoTags: "app:1" },
  "a digest that is none": { index: { digest: "sha256:../../etc" } },
  "an index that names what is not there": { index: { digest: `sha256:${"0".repeat(64)}` } },
  "a manifest with other bytes": { blob: manifest.replace("[]", "[ ]") },
  "legacy repositories": { more: [["repositories", '{"busybox":{"latest":"x"}}']] },
  "a second index.json": { more: [["index.json", "{}"]] },
  "an index.json elsewhere": { more: [["./index.json", "{}"]] },
  "a link": { more: [[{ name: "manifest.json", type: "symlink", linkname: "blobs/sha256/x" }]] },
  "a hard link": { more: [[{ name: "manifest.json", type: "link", linkname: "blobs/sha256/x" }]] },
  "a device": { more: [[{ name: "blobs/x", type: "block-device" }]] },
  "a path upwards": { more: [["../x", ""]] },
  "another path by a pax header": {
    more: [[{ name: "blobs/sha256/aa", pax: { path: "manifest.json" } }, "[]"]],
  },
  "a name of other letters": { more: [["manifest.jsön", "[]"]] },
  "legacy layers": { more: [["abc/layer.tar", ""]] },
};

test.each(Object.entries(attacks))("refuses %s", async (_, parts) => {
  const bytes = await archive(parts);
  const refusal = expect.objectContaining({ code: "BUILDER_CLAIM" });
  expect(() => guarded(bytes)).toThrow(refusal);
  expect(() => guarded(bytes, { step: 100 })).toThrow(refusal);
});

test("holds documents back until they have been looked at", async () => {
  const guard = new ArchiveGuard(new AskedNames("app:1"));
  const bytes = await archive({ name: "docker.io/library/busybox:latest" });
  const at = bytes.indexOf("index.json");
  expect(Buffer.concat(guard.push(bytes.subarray(0, at + 600)))).toHaveLength(at);
});

test("refuses what is compressed, cut or no archive", async () => {
  const bytes = await archive({});
  expect(() => guarded(Buffer.from([0x1f, 0x8b, ...bytes.subarray(0, 600)]))).toThrow("no plain tar archive");
  expect(() => guarded(bytes.subarray(0, 4000))).toThrow("in the middle of an entry");
  const broken = Buffer.from(bytes);
  broken.write("7", 100);
  expect(() => guarded(broken)).toThrow("no plain tar archive");
});

test("refuses what follows the end of the archive", async () => {
  const bytes = await archive({});
  const hidden = await archive({ name: "docker.io/library/busybox:latest" });
  expect(() => guarded(Buffer.concat([bytes, hidden]))).toThrow("behind its end");
  expect(() => guarded(Buffer.concat([bytes, Buffer.alloc(10_240)]))).not.toThrow();
});

test("takes sizes above 8 GiB", async () => {
  const tar = pack();
  tar.entry({ name: `blobs/sha256/${"a".repeat(64)}`, size: 9 * 2 ** 30 });
  const [header] = (await once(tar, "data")) as [Buffer];
  const guard = new ArchiveGuard(new AskedNames(""));
  expect(guard.push(header)).toEqual([header]);
  expect(() => guard.end()).toThrow("in the middle of an entry");
  tar.destroy();
});
