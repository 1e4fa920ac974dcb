import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { type Header, pack } from "tar-stream";
import { expect, test } from "vitest";
import { type LayerBlob, compareLayers } from "./compare-layers.js";
import { readLayerTar } from "./layer-tar.js";

type Entry = Pick<Header, "name"> & Partial<Header> & { content?: string };

async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const { content, ...given } of entries) {
    const header = Object.assign({ mtime: new Date(0), mode: 0o644 }, given);
    if ((header.type ?? "file") === "file") archive.entry(header, content ?? "");
    else archive.entry(header);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function layer(bytes: Buffer, kind = "tar"): LayerBlob {
  const descriptor = {
    mediaType: `application/vnd.oci.image.layer.v1.${kind}`,
    digest: "sha256:x",
    size: bytes.length,
  };
  // In odd pieces: headers and contents are cut anywhere.
  const pieces = Array.from({ length: Math.ceil(bytes.length / 700) }, (_, at) =>
    bytes.subarray(at * 700, at * 700 + 700),
  );
  return { descriptor, read: () => Readable.from(pieces) as AsyncIterable<Buffer> };
}

const compare = async (a: readonly Entry[], b: readonly Entry[]) =>
  compareLayers(layer(await tarOf(a)), layer(gzipSync(await tarOf(b)), "tar+gzip"));

/** An entry in bytes, for what `pack()` cannot say: texts are a character a byte, `size` is what the header says. */
function rawEntry(
  name: string,
  given: { type?: string; content?: string; size?: number; link?: string } = {},
) {
  const { type = "0", content = "", size = content.length, link = "" } = given;
  const head = Buffer.alloc(512);
  const number = (value: number, digits: number) => `${value.toString(8).padStart(digits, "0")}\0`;
  head.write(name, "latin1");
  head.write(number(0o644, 7) + number(0, 7) + number(0, 7) + number(size, 11) + number(0, 11), 100);
  head.write(`${" ".repeat(8)}${type}`, 148);
  head.write(link, 157, "latin1");
  head.write("ustar\x0000", 257);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${number(sum, 6)} `, 148);
  return Buffer.concat([head, Buffer.from(content, "latin1"), Buffer.alloc(-content.length & 511)]);
}

const rawCompare = async (a: readonly Buffer[], b: readonly Buffer[]) =>
  compareLayers(layer(Buffer.concat(a)), layer(Buffer.concat(b)));

const long = `${"d/".repeat(80)}file`;

test("each field of a file that differs is told, and no other", async () => {
  const file = { name: "a", content: "1" };
  const differs = async (more: Partial<Entry>, before: Partial<Entry> = {}) =>
    compare([{ ...file, ...before }], [{ ...file, ...more }]);
  expect(await differs({ content: "2" })).toMatchObject([{ path: "a", field: "content" }]);
  expect(await differs({ content: "22" })).toMatchObject([
    { field: "size", expected: "1", actual: "2" },
    { field: "content" },
  ]);
  expect(await differs({ mode: 0o4755 })).toEqual([
    { path: "a", field: "mode", expected: "0644", actual: "04755" },
  ]);
  expect(await differs({ mtime: new Date(1000) })).toEqual([
    { path: "a", field: "time", expected: "1970-01-01T00:00:00Z", actual: "1970-01-01T00:00:01Z" },
  ]);
  expect(await differs({ pax: { mtime: "0.25" } })).toMatchObject([{ actual: "1970-01-01T00:00:00.25Z" }]);
  expect(await differs({ uid: 1 })).toMatchObject([{ field: "owner", expected: "0:0", actual: "1:0" }]);
  expect(await differs({ pax: { "SCHILY.xattr.user.a": "b" } })).toMatchObject([
    { field: "xattr", expected: "", actual: "user.a=Yg==" },
  ]);
  expect(await differs({ type: "directory" })).toMatchObject([
    { field: "type", expected: "file", actual: "directory" },
  ]);
  expect(await differs({ type: "symlink", linkname: "x" }, { type: "symlink", linkname: "y" })).toMatchObject(
    [{ field: "link", expected: "y", actual: "x" }],
  );
  const device = { type: "character-device" as const, devmajor: 1 };
  expect(await differs({ ...device, devminor: 3 }, { ...device, devminor: 5 })).toMatchObject([
    { field: "device", expected: "1:5", actual: "1:3" },
  ]);
});

test("files that only one has are told, long names as they are; equal files in another order, or packed otherwise", async () => {
  const [a, b] = [
    { name: "a", content: "1" },
    { name: long, content: "x".repeat(5000) },
  ];
  expect(await compare([a, b], [a])).toEqual([{ path: long, field: "missing", expected: "file" }]);
  expect(await compare([a], [a, b])).toEqual([{ path: long, field: "extra", actual: "file" }]);
  expect(await compare([a, b], [b, a])).toMatchObject([{ field: "order" }]);
  expect(await compare([a, b], [a, b])).toMatchObject([{ field: "compression" }]);
});

test("bytes are compared as they are, and shown as text: file capabilities, names that are not UTF-8", async () => {
  // What setcap writes; tar-stream's extract() reads both as the same text.
  const capable = (byte: string) => {
    const body = ` SCHILY.xattr.security.capability=\x01\0\0\x02${byte}\0\0\0\n`;
    return [rawEntry("x", { type: "x", content: `${body.length + 2}${body}` }), rawEntry("ping")];
  };
  expect(await rawCompare(capable("\x80"), capable("\xc0"))).toEqual([
    {
      path: "ping",
      field: "xattr",
      expected: "security.capability=AQAAAoAAAAA=",
      actual: "security.capability=AQAAAsAAAAA=",
    },
  ]);
  expect(await rawCompare([rawEntry("f\xe9")], [rawEntry("f\xe8")])).toEqual([
    { path: "f\\xe8", field: "extra", actual: "file" },
    { path: "f\\xe9", field: "missing", expected: "file" },
  ]);
  const link = (linkname: string): Entry => ({ name: "ü/é", type: "symlink", linkname });
  expect(await compare([link("ä")], [link("日本")])).toEqual([
    { path: "ü/é", field: "link", expected: "ä", actual: "日本" },
  ]);
});

test("what has no content by its kind has none, whatever size it says; what is of no known kind has; nothing counts behind the end", async () => {
  // Older tars give a link the size of its file.
  const files = [rawEntry("a", { content: "1" }), rawEntry("b", { type: "1", size: 1, link: "a" })];
  const strange = rawEntry("c", { type: "V", content: "volume" });
  const end = Buffer.alloc(1024);
  expect(await rawCompare([...files, strange], [...files, strange, end, rawEntry("d")])).toMatchObject([
    { field: "compression" },
  ]);
  expect(await rawCompare(files, [...files, strange])).toEqual([
    { path: "c", field: "extra", actual: "other" },
  ]);
});

test("a size that an extended header says is of the entry, not of headers between", async () => {
  const name = `${"n".repeat(120)}\0`;
  const entries = (content: string) => [
    rawEntry("x", { type: "x", content: `10 size=${content.length}\n` }),
    rawEntry("././@LongLink", { type: "L", content: name }),
    rawEntry("n", { content, size: 0 }),
  ];
  expect(await rawCompare(entries("1"), entries("2"))).toMatchObject([
    { path: "n".repeat(120), field: "content" },
  ]);
});

test("what is no archive is told by its layer, and nothing of it is held", async () => {
  const whole = await tarOf([{ name: "a", content: "1".repeat(2000) }]);
  const read = async (bytes: Buffer) => {
    const found: string[] = [];
    for await (const { path } of readLayerTar(layer(bytes).read(), "sha256:x", () => {})) found.push(path);
    return found;
  };
  await expect(read(whole.subarray(0, 1000))).rejects.toThrow(
    "the layer sha256:x is no tar archive: it has no end",
  );
  await expect(read(Buffer.alloc(600, 1))).rejects.toThrow("a wrong checksum");
  expect(await read(Buffer.alloc(0))).toEqual([]);
  // A header that says it goes on for gibibytes.
  const huge = Buffer.from(whole.subarray(0, 512));
  huge.write("x", 156);
  huge.write("77777777777\0", 124);
  huge.fill(" ", 148, 156);
  let sum = 0;
  for (const byte of huge) sum += byte;
  huge.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  await expect(read(huge)).rejects.toThrow("an extended header that is too long");
  await expect(compareLayers(layer(Buffer.from("no gzip"), "tar+gzip"), layer(whole))).rejects.toThrow();
});
