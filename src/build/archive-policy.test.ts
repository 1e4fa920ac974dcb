import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { describe, expect, it } from "vitest";
import { withoutPolicy } from "./archive-policy.js";

const tarOf = async (...names: string[]): Promise<Buffer> => {
  const archive = pack();
  for (const name of names) archive.entry({ name }, `content of ${name}`);
  archive.entry({ name: "large" }, Buffer.alloc(3 << 20, 7));
  archive.finalize();
  return buffer(archive);
};

const never = () => Promise.reject(new Error("the builder is not asked"));
const look = (archive: Readable | Uint8Array, path = "Dockerfile.rego") =>
  buffer(withoutPolicy(archive, { path, lookByBuilder: never }));
/** In pieces that fit nothing. */
const streamOf = (bytes: Buffer) =>
  Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += 7_777) yield bytes.subarray(at, at + 7_777);
    })(),
  );

const forms: [form: string, pack: (tar: Buffer) => Buffer][] = [
  ["plain", (tar) => tar],
  ["gzip", (tar) => gzipSync(tar)],
  [
    "gzip of two members",
    (tar) => Buffer.concat([gzipSync(tar.subarray(0, 999)), gzipSync(tar.subarray(999))]),
  ],
];

describe.each(forms)("an archive (%s)", (_, form) => {
  it("without a policy passes as it is, from memory and from a stream", async () => {
    const bytes = form(await tarOf("Dockerfile", "sub/Dockerfile.rego", "x.rego"));
    expect((await look(bytes)).equals(bytes)).toBe(true);
    expect((await look(streamOf(bytes))).equals(bytes)).toBe(true);
  });

  it.each([
    ["Dockerfile.rego", "Dockerfile.rego"],
    ["./Dockerfile.rego", "Dockerfile.rego"],
    ["/a/../Dockerfile.rego", "Dockerfile.rego"],
    [`${"long/".repeat(60)}D.rego`, `./${"long/".repeat(60)}D.rego`],
    ["real/D.rego", "link/D.rego"],
  ])("with %s does not come to its end", async (name, policy) => {
    const bytes = form(await tarOf("Dockerfile", name));
    for (const archive of [bytes, streamOf(bytes)])
      await expect(look(archive, policy)).rejects.toThrow(
        /D(ockerfile)?\.rego in the archive.*not supported/,
      );
  });

  it("that breaks off is refused", async () => {
    const bytes = form(await tarOf("Dockerfile"));
    await expect(look(bytes.subarray(0, bytes.length / 2))).rejects.toThrow(
      "cannot be looked into for a policy",
    );
  });
});

it("what is no archive is refused, and an error of the source is its own", async () => {
  await expect(look(Buffer.alloc(2000, 1))).rejects.toThrow("cannot be looked into for a policy");
  const broken = Readable.from(
    (async function* () {
      yield (await tarOf("a")).subarray(0, 2000);
      throw new Error("the disk is gone");
    })(),
  );
  await expect(look(broken)).rejects.toThrow("the disk is gone");
});

it("an archive that is not wanted any more lets go of its source", async () => {
  const source = streamOf(await tarOf("a"));
  const stream = withoutPolicy(source, { path: "x", lookByBuilder: never });
  await new Promise((resolve) => stream.once("readable", resolve));
  stream.destroy();
  await new Promise((resolve) => source.once("close", resolve));
});

it.each(["425a6839", "fd377a585a00"])(
  "an archive that begins with %s is looked into by the builder",
  async (hex) => {
    const bytes = Buffer.concat([Buffer.from(hex, "hex"), Buffer.alloc(100_000, 3)]);
    const kept = async () =>
      (await readdir(tmpdir())).filter((name) => name.startsWith("slipway-context-")).length;
    const before = await kept();
    const seen: Buffer[] = [];
    const options = {
      path: "x",
      lookByBuilder: async (read: () => Readable) => void seen.push(await buffer(read())),
    };
    expect((await buffer(withoutPolicy(streamOf(bytes), options))).equals(bytes)).toBe(true);
    expect(seen).toEqual([bytes]);
    const refused = withoutPolicy(bytes, {
      path: "x",
      lookByBuilder: () => Promise.reject(new Error("a policy")),
    });
    await expect(buffer(refused)).rejects.toThrow("a policy");
    expect(await kept()).toBe(before);
  },
);
