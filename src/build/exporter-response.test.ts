import { expect, test } from "vitest";
import { AskedNames } from "./asked-names.js";
import { cacheDescriptor, checkResponse, imageDescriptor } from "./exporter-response.js";

const digest = `sha256:${"a".repeat(64)}`;
const claim = expect.objectContaining({ code: "BUILDER_CLAIM" });

function check(
  response: Record<string, string>,
  { names = "", seen }: { names?: string; seen?: Set<string> } = {},
) {
  checkResponse(new Map(Object.entries(response)), { asked: new AskedNames(names), seen });
}

test("takes digests and the names that were asked for", () => {
  check(
    { "containerimage.digest": digest, "image.name": "docker.io/library/a:latest,b.example/c:2" },
    { names: "a,b.example/c:2" },
  );
  check({ "containerimage.digest": digest }, { seen: new Set([digest]) });
});

test.each([
  "",
  "sha256:",
  "sha256:xyz",
  `${digest}\u001b[2J`,
  `md5:${"a".repeat(32)}`,
  "../../etc/passwd",
  "__proto__",
])("refuses %j as a digest", (text) => {
  expect(() => check({ "containerimage.digest": text })).toThrow(claim);
  expect(() => check({ "containerimage.config.digest": text })).toThrow(claim);
});

test("refuses a digest of an image that did not come", () => {
  expect(() => check({ "containerimage.config.digest": digest }, { seen: new Set() })).toThrow(claim);
});

test("refuses names that nobody asked for", () => {
  for (const name of ["busybox", "docker.io/library/app:2", "evil.example/app:1", "App:1", "__proto__"])
    expect(() => check({ "image.name": `app:1,${name}` }, { names: "app:1" })).toThrow(claim);
  expect(() => check({ "image.name": "app:1" })).toThrow(claim);
});

test.each([
  "{",
  "[]",
  "null",
  '"x"',
  "{}",
  '{"mediaType":"a","digest":"sha256:x","size":1}',
  `{"mediaType":"a","digest":"${digest}","size":-1}`,
])("refuses %j as a descriptor", (json) => {
  expect(() => cacheDescriptor(new Map([["cache.manifest", json]]))).toThrow(claim);
  const encoded = Buffer.from(json).toString("base64");
  expect(() => imageDescriptor(new Map([["containerimage.descriptor", encoded]]))).toThrow(claim);
});

test("takes of a descriptor what leads to content, and nothing that fills an index", () => {
  const known = { mediaType: "a", digest, size: 1, annotations: { b: "c" } };
  const nested = `${"[".repeat(900)}${"]".repeat(900)}`;
  const more = `${JSON.stringify(known).slice(0, -1)},"data":"eA==","urls":["https://evil.example"],"x":${nested}}`;
  expect(cacheDescriptor(new Map([["cache.manifest", more]]))).toEqual(known);
  for (const large of [
    { ...known, mediaType: "x".repeat(70_000) },
    { ...known, annotations: { b: "x".repeat(70_000) } },
    { ...known, annotations: { ["x".repeat(3_900_000)]: "" } },
  ])
    expect(() => cacheDescriptor(new Map([["cache.manifest", JSON.stringify(large)]]))).toThrow(claim);
});
