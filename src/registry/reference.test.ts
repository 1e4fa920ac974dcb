import { expect, test } from "vitest";
import {
  familiarReference,
  formatReference,
  normalizeContextName,
  parseReference,
  withDefaultTag,
} from "./reference.js";

const digest = `sha256:${"a".repeat(64)}`;

test.each([
  ["alpine", "docker.io/library/alpine", "alpine"],
  ["alpine:3.20", "docker.io/library/alpine:3.20", "alpine:3.20"],
  ["moby/buildkit", "docker.io/moby/buildkit", "moby/buildkit"],
  ["docker.io/alpine", "docker.io/library/alpine", "alpine"],
  ["index.docker.io/a/b", "docker.io/a/b", "a/b"],
  ["library/a/b", "docker.io/library/a/b", "library/a/b"],
  ["localhost/x", "localhost/x", "localhost/x"],
  ["localhost:5000/x:y", "localhost:5000/x:y", "localhost:5000/x:y"],
  ["[::1]:5000/x", "[::1]:5000/x", "[::1]:5000/x"],
  ["Example/x", "Example/x", "Example/x"],
  ["ghcr.io/a/b_c/d--e:V1.0-x_", "ghcr.io/a/b_c/d--e:V1.0-x_", "ghcr.io/a/b_c/d--e:V1.0-x_"],
  [`alpine@${digest}`, `docker.io/library/alpine@${digest}`, `alpine@${digest}`],
  [`r:1/a:t@${digest}`, `r:1/a:t@${digest}`, `r:1/a:t@${digest}`],
])("%s", (text, full, familiar) => {
  expect(formatReference(parseReference(text))).toBe(full);
  expect(familiarReference(parseReference(text))).toBe(familiar);
});

test.each([
  "",
  ":tag",
  "a:",
  "a b",
  "-a",
  "a..b",
  "a___b",
  "a/",
  "a//b",
  "/a",
  "a:-x",
  `a:${"t".repeat(129)}`,
  "a@sha256:abc",
  `a@md5:${"a".repeat(32)}`,
  `a@sha256:${"A".repeat(64)}`,
  "ex_ample.com/a",
  "http://x/y",
  "a\n",
  "x/".repeat(130) + "x",
  "y".repeat(5000),
])("refuses %j", (text) => {
  expect(() => parseReference(text)).toThrow(/invalid reference format|must not be more than 255/);
});

test("says what is wrong with capitals and identifiers", () => {
  expect(() => parseReference("a/B")).toThrow("repository name (a/B) must be lowercase");
  expect(() => parseReference("a".repeat(64))).toThrow("cannot specify 64-byte hexadecimal strings");
});

test("SEC-29 hostile lengths are refused quickly", () => {
  for (const text of [
    "a".repeat(1e6),
    `${"a-".repeat(1000)}/x`,
    `x/${"a_".repeat(1000)}`,
    "[".repeat(2000),
  ]) {
    expect(() => parseReference(text)).toThrow();
  }
});

test("the default tag is for names only", () => {
  expect(withDefaultTag(parseReference("a")).tag).toBe("latest");
  expect(withDefaultTag(parseReference(`a@${digest}`)).tag).toBeUndefined();
});

test("context names are familiar references without latest", () => {
  expect(normalizeContextName("docker.io/library/alpine:latest")).toBe("alpine");
  expect(normalizeContextName("base")).toBe("base");
  expect(normalizeContextName("alpine:3")).toBe("alpine:3");
  expect(() => normalizeContextName("Up")).toThrow(/^invalid context name Up: .*must be lowercase/);
});
