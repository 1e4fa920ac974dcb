import { expect, test } from "vitest";
import { displayPath, toBytes, toPath, toText } from "./bytes.js";
import { cleanPath, comparePaths, joinPaths, parentOf, pathInRoot } from "./paths.js";

test.each([
  ["", "."],
  ["/", "/"],
  ["//a//b/", "/a/b"],
  ["a/./b/../c", "a/c"],
  ["../a/..", ".."],
  ["/../a", "/a"],
  ["a/..", "."],
])("cleanPath of %s is %s", (path, clean) => {
  expect(cleanPath(path)).toBe(clean);
});

test("SEC-41 pathInRoot never leaves the root", () => {
  expect(["../x", "/../x", "a/../../x", "..", "/", ""].map(pathInRoot)).toEqual([
    "x",
    "x",
    "x",
    ".",
    ".",
    ".",
  ]);
});

test("joinPaths and parentOf", () => {
  expect(joinPaths("", "a", "", "../b")).toBe("b");
  expect(joinPaths("", "")).toBe("");
  expect([parentOf("a/b/c"), parentOf("a")]).toEqual(["a/b", ""]);
});

test("FLT-65 paths compare by bytes, with the slash before everything", () => {
  const order = ["a", "a/z", "a\x01", "a.txt", "ab", toBytes("\ue000"), toBytes("\u{10000}")];
  const shuffled = [...order].reverse();
  expect(shuffled.sort(comparePaths)).toEqual(order);
});

test("FLT-63 FLT-64 bytes survive, and are shown escaped", () => {
  expect(toPath("a\xff")).toEqual(Buffer.from([0x61, 0xff]));
  expect(toText(toBytes("é€"))).toBe("é€");
  expect(displayPath("a\n\xc3\xa9\xff\x7f")).toBe("a\\x0aé\\xff\\x7f");
});
