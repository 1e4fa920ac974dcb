import { expect, test } from "vitest";
import { parseImageAnnotation } from "./annotations.js";
import { formatImageLocation, locationName, parseImageLocation, withDigest } from "./image-location.js";

const digest = `sha256:${"a".repeat(64)}`;

test.each([
  ["busybox", "docker.io/library/busybox:latest", "docker.io/library/busybox"],
  ["localhost:5000/a/b:1", "localhost:5000/a/b:1", "localhost:5000/a/b"],
  ["oci-layout://dir", "oci-layout://dir:latest", "dir"],
  ["oci-layout://a:b:1.2", "oci-layout://a:b:1.2", "a:b"],
  [`oci-layout://dir@${digest}`, `oci-layout://dir@${digest}`, "dir"],
  [`oci-layout://dir:1@${digest}`, `oci-layout://dir:1@${digest}`, "dir"],
  ["oci-layout://C:\\dir", "oci-layout://C:\\dir:latest", "C:\\dir"],
])("%s is a location", (text, full, name) => {
  const location = parseImageLocation(text);
  expect(formatImageLocation(location)).toBe(full);
  expect(locationName(location)).toBe(name);
  expect(formatImageLocation(withDigest(location, digest)).endsWith(`@${digest}`)).toBe(true);
});

test("a layout needs a path", () => {
  expect(() => parseImageLocation("oci-layout://")).toThrow("invalid OCI layout reference");
});

test("annotations are read once for each type, with any key", () => {
  expect(parseImageAnnotation("index,manifest-descriptor[linux/amd64]:__proto__=v")).toEqual([
    { type: "index", key: "__proto__", value: "v" },
    { type: "manifest-descriptor", platform: "linux/amd64", key: "__proto__", value: "v" },
  ]);
});
