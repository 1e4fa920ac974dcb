import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type Descriptor,
  findDescriptor,
  putDescriptor,
  readOciIndex,
  removeUnreferencedBlobs,
} from "./oci-index.js";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "slipway-index-"));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const manifestType = "application/vnd.oci.image.manifest.v1+json";

async function blob(value: unknown, mediaType: string): Promise<Descriptor> {
  const data = typeof value === "string" ? value : JSON.stringify(value);
  const hex = createHash("sha256").update(data).digest("hex");
  await mkdir(join(root, "blobs/sha256"), { recursive: true });
  await writeFile(join(root, "blobs/sha256", hex), data);
  return { mediaType, digest: `sha256:${hex}`, size: data.length };
}

describe("index.json of a layout", () => {
  it("may begin with a byte order mark", async () => {
    await writeFile(join(root, "index.json"), '\ufeff{"schemaVersion":2,"manifests":[]}');
    expect(await readOciIndex(root)).toMatchObject({ manifests: [] });
  });

  it("is made with oci-layout, and a tag moves", async () => {
    const one = await blob("one", manifestType);
    const two = await blob("two", manifestType);
    await putDescriptor(root, one, { tag: "latest" });
    await putDescriptor(root, one, { tag: "other" });
    await putDescriptor(root, two, { tag: "latest" });
    expect((await findDescriptor(root, "latest"))?.digest).toBe(two.digest);
    expect((await findDescriptor(root, "other"))?.digest).toBe(one.digest);
    expect(await findDescriptor(root, "none")).toBeUndefined();
    expect((await readOciIndex(root))?.manifests).toHaveLength(2);
    expect(await readFile(join(root, "oci-layout"), "utf8")).toBe('{"imageLayoutVersion":"1.0.0"}');
    expect((await readdir(root)).sort()).toEqual(["blobs", "index.json", "oci-layout"]);
  });

  it("a name sets both annotations and is found before a tag", async () => {
    const one = await blob("one", manifestType);
    const two = await blob("two", manifestType);
    await putDescriptor(root, one, { tag: "docker.io/library/app:1.2" });
    await putDescriptor(root, two, { name: "docker.io/library/app:1.2" });
    const found = await findDescriptor(root, "docker.io/library/app:1.2");
    expect(found?.digest).toBe(two.digest);
    expect(found?.annotations).toEqual({
      "io.containerd.image.name": "docker.io/library/app:1.2",
      "org.opencontainers.image.ref.name": "1.2",
    });
  });

  it("keeps what it does not know", async () => {
    const index = { schemaVersion: 2, manifests: [], annotations: { a: "b" }, custom: [1] };
    await writeFile(join(root, "index.json"), JSON.stringify(index));
    await putDescriptor(root, await blob("x", manifestType), { tag: "t" });
    expect(JSON.parse(await readFile(join(root, "index.json"), "utf8"))).toMatchObject({
      annotations: { a: "b" },
      custom: [1],
      mediaType: "application/vnd.oci.image.index.v1+json",
    });
  });

  it("many writers at once lose nothing", async () => {
    const one = await blob("one", manifestType);
    await Promise.all(Array.from({ length: 8 }, (_, n) => putDescriptor(root, one, { tag: `t${n}` })));
    expect((await readOciIndex(root))?.manifests).toHaveLength(8);
  });

  it.each([
    ["what is not JSON", "{"],
    ["a manifest and an index at once", '{"schemaVersion":2,"manifests":[],"layers":[]}'],
    ["another media type", `{"schemaVersion":2,"mediaType":"${manifestType}"}`],
    ["another version", '{"schemaVersion":1}'],
    [
      "a digest that is a path",
      '{"schemaVersion":2,"manifests":[{"mediaType":"x","digest":"../x","size":1}]}',
    ],
    ...[-1, 1.5, 1e300, null].map((size) => [
      `a size of ${size}`,
      JSON.stringify({
        schemaVersion: 2,
        manifests: [{ mediaType: "x", digest: `sha256:${"a".repeat(64)}`, size }],
      }),
    ]),
    [
      "a name that is no text",
      JSON.stringify({
        schemaVersion: 2,
        manifests: [
          {
            mediaType: "x",
            digest: `sha256:${"a".repeat(64)}`,
            size: 1,
            annotations: { "org.opencontainers.image.ref.name": { a: 1 } },
          },
        ],
      }),
    ],
    ["more than 4 MiB", `{"schemaVersion":2,"x":"${"y".repeat(4 << 20)}"}`],
  ])("SEC-34 %s is refused", async (_name, text) => {
    await writeFile(join(root, "index.json"), text);
    await expect(readOciIndex(root)).rejects.toMatchObject({ code: "SESSION_OCI_INDEX" });
  });
});

describe("SEC-67 what would make a layout unusable is not written", () => {
  const nested = (depth: number) => JSON.parse(`${"[".repeat(depth)}${"]".repeat(depth)}`) as unknown;
  const digest = `sha256:${"a".repeat(64)}`;

  it.each<[string, Descriptor]>([
    ["no digest", { mediaType: "x", digest: "../x", size: 1 }],
    ["no size", { mediaType: "x", digest, size: -1 }],
    ["an annotation that is no text", { mediaType: "x", digest, size: 1, annotations: { a: 1 as never } }],
    ["too much", { mediaType: "x", digest, size: 1, annotations: { a: "x".repeat(5 << 20) } }],
    ["nested too deep", { mediaType: "x", digest, size: 1, x: nested(999) }],
  ])("%s", async (_what, descriptor) => {
    const sound = await blob("sound", manifestType);
    await putDescriptor(root, sound, { tag: "before" });
    await expect(putDescriptor(root, descriptor, { tag: "t" })).rejects.toMatchObject({
      code: "SESSION_OCI_INDEX",
      message: expect.stringContaining(join(root, "index.json")) as string,
    });
    expect(await findDescriptor(root, "t")).toBeUndefined();
    await putDescriptor(root, sound, { tag: "after" });
    expect((await findDescriptor(root, "before"))?.digest).toBe(sound.digest);
    expect((await findDescriptor(root, "after"))?.digest).toBe(sound.digest);
  });
});

describe("reset of a local cache", () => {
  it("removes what the index does not lead to", async () => {
    const layer = await blob("layer", "application/vnd.oci.image.layer.v1.tar");
    const config = await blob("config", "application/vnd.oci.image.config.v1+json");
    const manifest = await blob({ config, layers: [layer] }, manifestType);
    const index = await blob({ manifests: [manifest] }, "application/vnd.oci.image.index.v1+json");
    await blob("garbage", "x");
    await blob({ layers: [] }, manifestType);
    await putDescriptor(root, index, { tag: "latest" });
    expect(await removeUnreferencedBlobs(root)).toBe(2);
    expect((await readdir(join(root, "blobs/sha256"))).sort()).toEqual(
      [layer, config, manifest, index].map(({ digest }) => digest.slice(7)).sort(),
    );
  });
});
