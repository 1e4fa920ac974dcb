import { expect, test } from "vitest";
import { bestTime, fasterThanLinear } from "../../test/support/growth.js";
import { dedupePaths, followLinks, linkClosure } from "./follow-links.js";
import { type MemoryEntry, memorySource } from "./memory-source.js";
import { restrictedSource } from "./restricted-source.js";
import type { TreeSource } from "./tree-source.js";

async function tree(links: Record<string, string>, files: string[] = []): Promise<TreeSource> {
  const entries = new Map<string, MemoryEntry>();
  for (const [path, symlink] of Object.entries(links)) entries.set(path, { symlink });
  for (const path of files) entries.set(path, { content: path });
  return memorySource(entries);
}

test("a chain of links is followed, relative and absolute", async () => {
  const source = await tree({ a: "b/c", "b/c": "/d", "b/e": "../d" }, ["d/file"]);
  expect(followLinks(source, ["a/file"])).toEqual(["a", "b/c", "d/file"]);
  expect(followLinks(source, ["b/e"])).toEqual(["b/e", "d"]);
  expect(followLinks(source, ["none/here"])).toEqual(["none/here"]);
});

test("FLT-62 loops end", async () => {
  const source = await tree({ a: "b", b: "a", c: "c/x" });
  expect(followLinks(source, ["a/x", "c"])).toEqual(["a", "b", "c"]);
});

test("wildcards follow the links among the names that match", async () => {
  const source = await tree({ "l/one": "../x", "l/two": "../y" }, ["l/file", "x", "y"]);
  expect(followLinks(source, ["l/t*"])).toEqual(["l/t*", "y"]);
  expect(followLinks(source, ["l/\\*"])).toEqual(["l/\\*"]);
});

test("the root among the targets means everything", async () => {
  const source = await tree({ a: "." });
  expect(followLinks(source, ["a"])).toBeUndefined();
  expect(followLinks(source, ["."])).toBeUndefined();
});

test("SEC-41 nothing outside the root is looked at", async () => {
  const source = await tree({ up: "../../etc", "[x]": "/outside", "dir/link": "../../../b" }, [
    "x",
    "etc",
    "b",
  ]);
  const touched: string[] = [];
  const watched: TreeSource = {
    list: (path) => (touched.push(path), source.list(path)),
    lstat: (path) => (touched.push(path), source.lstat(path)),
    readlink: (path) => (touched.push(path), source.readlink(path)),
  };
  const requests = ["../x", "/../x", "../*", "../../up", "up", "dir/link", "[x]/*", "[x]/a/b"];
  expect(followLinks(watched, requests)).toEqual([
    "*",
    "[x]/*",
    "[x]/a/b",
    "b",
    "dir/link",
    "etc",
    "outside",
    "up",
    "x",
  ]);
  expect(touched.filter((path) => path.split("/").includes("..") || path.startsWith("/"))).toEqual([]);
  // `[x]` is a link that was not followed: below it the system would.
  expect(touched.filter((path) => path.startsWith("[x]/"))).toEqual([]);
});

test("dedupePaths drops what lies below the entry before, and expects order", () => {
  expect(dedupePaths(["a", "a/b", "a.b", "b"])).toEqual(["a", "a.b", "b"]);
  expect(dedupePaths(["/x", "a"])).toEqual(["a"]);
});

test("SEC-46 a restricted tree has the names, their links' targets, and nothing else", async () => {
  const source = await tree({ Dockerfile: "sub/real" }, ["sub/real", "sub/secret", "other", ".dockerignore"]);
  const listed: string[] = [];
  const guarded: TreeSource = {
    ...source,
    list: (path) => {
      listed.push(path);
      return source.list(path);
    },
  };
  const visible = linkClosure(guarded, ["Dockerfile", ".dockerignore", "*"], { wildcards: false });
  const only = restrictedSource(guarded, [...visible]);
  expect(only.list("")).toEqual([".dockerignore", "Dockerfile", "sub\0"]);
  expect(only.list("sub")).toEqual(["real"]);
  expect(only.lstat("other")).toBeUndefined();
  expect(only.lstat("sub/secret")).toBeUndefined();
  expect(only.readlink("Dockerfile")).toBe("sub/real");
  expect(listed).toEqual([]);
});

test("SEC-66 long ways and many links take linear time", { timeout: 60_000 }, async () => {
  const flat = await tree({}, ["x"]);
  const deep = await tree({ a: "b", b: "." }, ["x"]);
  for (const source of [flat, deep])
    for (const pump of ["a/", "x/", "*/", "../", "b/a/"])
      expect(
        fasterThanLinear((text) => followLinks(source, [text.slice(0, -1)]), {
          prefix: "",
          pump,
          suffix: "x",
        }),
      ).toBeUndefined();
  // A chain of links with a long way behind it.
  const time = async (count: number) => {
    const links: Record<string, string> = {};
    for (let at = 0; at < count; at++) links[`l${at}`] = `l${at + 1}`;
    const source = await tree(links);
    const path = `l0${"/y".repeat(count * 4)}`;
    return bestTime(() => expect(followLinks(source, [path])).toHaveLength(count + 1));
  };
  const [one, four] = [await time(4_000), await time(16_000)];
  expect(four).toBeLessThan(Math.max(one, 100) * 9);
});

test("SEC-66 wildcards times links end with an error that names the bound", async () => {
  const links: Record<string, string> = {};
  for (let at = 0; at < 5_000; at++) links[`l${at}`] = "nowhere";
  const source = await tree(links);
  const patterns = Array.from({ length: 2_000 }, (_, at) => `${at}*`);
  expect(() => followLinks(source, patterns)).toThrow(/match more than 1000000 names/);
  const far: Record<string, string> = {};
  for (let at = 0; at < 5_000; at++) far[`l${at}`] = `to${at}`;
  const spread = await tree(far);
  expect(() => followLinks(spread, [`*${"/y".repeat(15_000)}`])).toThrow(/lead to more than 67108864 bytes/);
});
