import { mkdtemp, readFile, readdir, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TreeEntry, writeTree } from "./write-tree.js";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-tree-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const mtime = new Date("2020-01-02T03:04:05.678Z");
async function* of(...entries: TreeEntry[]): AsyncGenerator<TreeEntry, void> {
  for (const entry of entries) yield await Promise.resolve(entry);
}
async function* bytes(...texts: (string | Error)[]): AsyncGenerator<Buffer, void> {
  for (const text of texts) {
    if (typeof text !== "string") throw text;
    yield await Promise.resolve(Buffer.from(text));
  }
}
const file = (path: string, ...texts: (string | Error)[]): TreeEntry => ({
  path,
  type: "file",
  mode: 0o4755,
  mtime,
  content: bytes(...texts),
});

test("a tree is written with modes and times, but for setuid; what is there and has another name stays", async () => {
  const dest = join(dir, "new/dest");
  await writeTree(
    dest,
    of({ path: "closed", type: "directory", mode: 0o500, mtime }, file("closed/a", "one ", "two"), {
      path: "link",
      type: "symlink",
      mode: 0o777,
      mtime,
      target: "closed/a",
    }),
  );
  await writeTree(dest, of(file("b", "b"), file("link", "a file now")));
  expect((await readdir(dest)).sort()).toEqual(["b", "closed", "link"]);
  expect(await readFile(join(dest, "closed/a"), "utf8")).toBe("one two");
  expect(await stat(join(dest, "closed/a"))).toMatchObject({ mode: 0o100755, mtime });
  expect((await stat(join(dest, "closed"))).mode & 0o777).toBe(0o500);
  expect(await readFile(join(dest, "link"), "utf8")).toBe("a file now");
});

test("no link that stands there is followed, and a file that fails is as it was before", async () => {
  const [dest, outside] = [join(dir, "dest"), join(dir, "outside")];
  await writeTree(outside, of(file("kept", "kept")));
  await writeTree(dest, of(file("half", "before")));
  await symlink(outside, join(dest, "sub"));
  await writeTree(
    dest,
    of({ path: "sub", type: "directory", mode: 0o755, mtime }, file("sub/kept", "inside")),
  );
  expect(await readFile(join(outside, "kept"), "utf8")).toBe("kept");
  await expect(readlink(join(dest, "sub"))).rejects.toThrow("EINVAL");
  await expect(writeTree(dest, of(file("half", "af", new Error("lost"))))).rejects.toThrow("lost");
  expect(await readFile(join(dest, "half"), "utf8")).toBe("before");
  expect((await readdir(dest)).sort()).toEqual(["half", "sub"]);
  await writeFile(join(dir, "plain"), "");
  await expect(writeTree(join(dir, "plain"), of(file("a", "a")))).rejects.toMatchObject({
    code: "SESSION_EXPORT_IO",
  });
  await expect(writeTree(dest, of(file("x/y", "a")))).rejects.toThrow("comes before its directory");
  await expect(writeTree(dest, of(file("a", "a")), AbortSignal.abort())).rejects.toMatchObject({
    code: "ABORTED",
  });
});
