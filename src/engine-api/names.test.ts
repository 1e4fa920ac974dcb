import { describe, expect, it } from "vitest";
import { imagePath, networkSegment, splitReference } from "./names.js";

describe("splitReference", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  it.each([
    ["busybox", "busybox", "latest"],
    ["busybox:1.36", "busybox", "1.36"],
    ["localhost:5000/a/b", "localhost:5000/a/b", "latest"],
    ["localhost:5000/a/b:c", "localhost:5000/a/b", "c"],
    [`a@${digest}`, "a", digest],
    [`a:1@${digest}`, "a", digest],
    ["[::1]:5000/a:1", "[::1]:5000/a", "1"],
  ])("%s", (reference, name, tag) => {
    expect(splitReference(reference)).toEqual({ name, tag });
  });

  it.each(["", ":1", "a:", "a@", "a//b", "/a", "a/", "a/./b", "a/../b", "a b", "a%2fb", "a?b", "-a"])(
    "SEC-23 refuses %j",
    (reference) => {
      expect(() => splitReference(reference)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    },
  );
});

it("an image's id is a path as it is", () => {
  expect(imagePath(`sha256:${"0".repeat(64)}`)).toHaveLength(71);
});

it("a network of an older engine may have an odd name, but stays one segment", () => {
  expect(networkSegment("my net ä")).toBe("my%20net%20%C3%A4");
});
