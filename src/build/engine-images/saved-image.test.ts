import { createHash } from "node:crypto";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { type Header, pack } from "tar-stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { unpackSavedImage } from "./saved-image.js";

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), "slipway-saved-"))));
afterEach(() => rm(dir, { recursive: true }));

const hex = (text: string) => createHash("sha256").update(text).digest("hex");
const manifest = '{"schemaVersion":2}';
const index = (...digests: unknown[]) =>
  JSON.stringify({ schemaVersion: 2, manifests: digests.map((digest) => ({ digest })) });

type Entry = [header: string | (Partial<Header> & { name: string }), content?: string];

function archive(...entries: Entry[]): Promise<Buffer> {
  const tar = pack();
  for (const [header, content = ""] of entries)
    tar.entry(typeof header === "string" ? { name: header } : header, content);
  tar.finalize();
  return buffer(tar);
}

async function unpack(entries: Entry[], hint = ""): Promise<string> {
  return unpackSavedImage(Readable.from([await archive(...entries)]), dir, hint);
}

const blobs = () => readdir(join(dir, "blobs/sha256"));

test("an OCI layout gives the manifest that the engine named, else its first", async () => {
  const other = '{"schemaVersion":2,"x":1}';
  const entries: Entry[] = [
    [`blobs/sha256/${hex(manifest)}`, manifest],
    ["anywhere", other],
    ["./index.json", index(7, `sha256:${hex(other)}`, `sha256:${hex(manifest)}`)],
  ];
  expect(await unpack(entries, `sha256:${hex(manifest)}`)).toBe(`sha256:${hex(manifest)}`);
  expect(await unpack(entries, "sha256:unknown")).toBe(`sha256:${hex(other)}`);
  // Under its own digest, whatever its name was.
  expect(await readFile(join(dir, "blobs/sha256", hex(other)), "utf8")).toBe(other);
});

test("an older archive gets a manifest, and its links are followed inside the archive", async () => {
  const digest = await unpack([
    ["config.json", "{}"],
    ["a/layer.tar", "layer"],
    [{ name: "b/layer.tar", type: "symlink", linkname: "../a/layer.tar" }],
    [{ name: "c/layer.tar", type: "link", linkname: "a/layer.tar" }],
    [
      "manifest.json",
      JSON.stringify([{ Config: "config.json", Layers: ["a/layer.tar", "b/layer.tar", "c/layer.tar"] }]),
    ],
  ]);
  const made = JSON.parse(await readFile(join(dir, "blobs/sha256", digest.slice(7)), "utf8")) as object;
  expect(made).toMatchObject({
    config: { digest: `sha256:${hex("{}")}`, size: 2 },
    layers: [1, 2, 3].map(() => ({ digest: `sha256:${hex("layer")}`, size: 5 })),
  });
});

const older = (image: object) => JSON.stringify([{ Config: "config.json", Layers: [], ...image }]);
test.each<[string, Entry[], string]>([
  ["nothing", [], "neither index.json nor manifest.json"],
  ["an index that names nothing", [["index.json", index()]], "names no manifest in it"],
  ["an index that names what is not there", [["index.json", index("sha256:x")]], "names no manifest in it"],
  ["an index that names a path", [["index.json", index("sha256:../../x")]], "names no manifest in it"],
  ["an index that is no JSON", [["index.json", "{"]], "index.json is no JSON"],
  ["a manifest that is no JSON", [["manifest.json", "["]], "manifest.json is no JSON"],
  ["a manifest of no image", [["manifest.json", "[]"]], "neither index.json nor manifest.json"],
  ["a config that is not there", [["manifest.json", older({})]], 'names "config.json", which is not in it'],
  [
    "a layer that is no name",
    [
      ["config.json", "{}"],
      ["manifest.json", older({ Layers: [7] })],
    ],
    "names 7, which is not in it",
  ],
  [
    "a link to itself",
    [[{ name: "config.json", type: "symlink", linkname: "config.json" }], ["manifest.json", older({})]],
    'names "config.json", which is not in it',
  ],
  [
    "a link out of it",
    [
      [{ name: "config.json", type: "symlink", linkname: "../../../etc/passwd" }],
      ["manifest.json", older({})],
    ],
    'names "config.json", which is not in it',
  ],
  ["a document that is too large", [["index.json", " ".repeat((4 << 20) + 1)]], "larger than 4194304 bytes"],
])("an archive with %s holds no image", async (_, entries, reason) => {
  await expect(unpack(entries)).rejects.toMatchObject({
    code: "ENGINE_IMAGE",
    message: expect.stringContaining(reason) as string,
  });
});

test("names in the archive are no paths", async () => {
  await unpack([
    ["../../../evil", "x"],
    ["/etc/evil", "y"],
    ["index.json", index(`sha256:${hex("x")}`)],
  ]);
  expect((await readdir(dir)).sort()).toEqual(["blobs"]);
  expect((await blobs()).every((name) => /^[0-9a-f]{64}$/.test(name))).toBe(true);
});

test("an archive that ends early, or breaks, is an error", async () => {
  const bytes = await archive(["index.json", index(`sha256:${hex("x")}`)]);
  await expect(unpackSavedImage(Readable.from([bytes.subarray(0, 530)]), dir, "")).rejects.toThrow();
  const stream = new PassThrough();
  stream.write(bytes.subarray(0, 530));
  const unpacking = unpackSavedImage(stream, dir, "");
  setImmediate(() => stream.destroy(new Error("the engine is gone")));
  await expect(unpacking).rejects.toThrow("the engine is gone");
});

test("an archive of too many files is let go of", async () => {
  const many = await archive(
    ...Array.from({ length: 10_001 }, (_, number): Entry => [{ name: `${number}`, type: "directory" }]),
  );
  const stream = Readable.from([many]);
  await expect(unpackSavedImage(stream, dir, "")).rejects.toThrow("more than 10000 files");
  expect(stream.destroyed).toBe(true);
});
