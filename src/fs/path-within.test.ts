import { posix, win32 } from "node:path";
import { expect, it } from "vitest";
import { pathWithin } from "./path-within.js";

it.each([
  ["/a/b", "/a/b/c/d", "c/d"],
  ["/a/b", "/a/b", ""],
  ["/a/b", "/a/b/..c", "..c"],
  ["/a/b", "/a/bc", undefined],
  ["/a/b", "/a", undefined],
  ["/a/b", "/x", undefined],
  ["/", "/x", "x"],
])("the way from %s to %s", (directory, inner, way) => {
  expect(pathWithin(directory, inner, posix)).toBe(way);
});

it.each([
  ["C:\\a\\b", "C:\\a\\b\\c", "c"],
  ["C:\\a\\b", "c:\\A\\b\\c\\d", "c\\d"],
  ["C:\\a\\b", "C:\\a\\x", undefined],
  ["C:\\a\\b", "D:\\x", undefined],
  ["C:\\a\\b", "\\\\server\\share\\x", undefined],
  ["C:\\a\\b", "C:\\a\\b\\..x", "..x"],
])("SEC-64 the way from %s to %s on Windows", (directory, inner, way) => {
  expect(pathWithin(directory, inner, win32)).toBe(way);
});
