import { expect, test } from "vitest";
import { goModeOf } from "./go-mode.js";
import { memorySource } from "./memory-source.js";

test("directories are implied, contents may be bytes, text or a function", async () => {
  const source = await memorySource(
    new Map([
      ["b/run", { content: () => Promise.resolve("now"), mode: 0o755, mtime: new Date(1000) }],
      ["é", { content: "ü" }],
      ["a.txt", { content: Uint8Array.of(1, 2, 3) }],
      ["a/link", { symlink: "../b/run" }],
    ]),
  );
  expect(source.list("")).toEqual(["a\0", "a.txt", "b\0", "\xc3\xa9"]);
  expect(source.list("b")).toEqual(["run"]);
  expect(source.lstat("b/run")).toMatchObject({ size: 3n });
  expect(goModeOf(Number(source.lstat("b/run")?.mode))).toBe(0o755);
  expect(Number((source.lstat("b/run")?.mtimeNs ?? 0n) / 1_000_000n)).toBe(1000);
  expect(source.readlink("a/link")).toBe("../b/run");
  expect(Buffer.from(source.content("\xc3\xa9")).toString()).toBe("ü");
  expect(source.lstat("none")).toBeUndefined();
});

test.each(["/abs", "../up", "a/../..", ".", "", "nul\0"])("the path %j is refused", async (path) => {
  await expect(memorySource(new Map([[path, {}]]))).rejects.toThrow("is not a path inside the context");
});

test("a path below a file and a path given twice are refused", async () => {
  const below = new Map([
    ["a", {}],
    ["a/b", {}],
  ]);
  await expect(memorySource(below)).rejects.toThrow('"a/b" lies below a file');
  const twice = new Map([
    ["a/b", {}],
    ["a/./b", {}],
  ]);
  await expect(memorySource(twice)).rejects.toThrow('"a/b" is there twice');
});
