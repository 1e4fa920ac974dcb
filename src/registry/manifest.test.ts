import { expect, test } from "vitest";
import { mediaTypes } from "./descriptor.js";
import { digestOf } from "./digest.js";
import { parseManifest } from "./manifest.js";

const layer = { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: digestOf("x"), size: 1 };
const parse = (value: unknown, mediaType?: string) =>
  parseManifest(Buffer.from(JSON.stringify(value)), mediaType, "it");

test("a manifest and an index, their kind by what they hold", () => {
  expect(parse({ schemaVersion: 2, config: layer, layers: [layer] })).toEqual({
    kind: "manifest",
    mediaType: mediaTypes.ociManifest,
    config: layer,
    layers: [layer],
    annotations: {},
  });
  const entry = {
    ...layer,
    platform: { os: "linux", architecture: "arm64", variant: "v8" },
    annotations: null,
  };
  expect(parse({ manifests: [entry], annotations: { a: "b" } }, mediaTypes.dockerList)).toMatchObject({
    kind: "index",
    mediaType: mediaTypes.dockerList,
    manifests: [{ ...layer, platform: { os: "linux", architecture: "arm64", variant: "v8" } }],
    annotations: { a: "b" },
  });
});

test.each([
  [{ manifests: [], layers: [] }, undefined, "is both an index and a manifest"],
  [{ manifests: [], config: {} }, undefined, "is both an index and a manifest"],
  [{ manifests: [], mediaType: mediaTypes.ociManifest }, undefined, "has media type"],
  [{ config: layer, layers: [], mediaType: mediaTypes.ociIndex }, undefined, "has media type"],
  [{ manifests: [], mediaType: mediaTypes.ociIndex }, mediaTypes.dockerList, "was announced"],
  [{ manifests: [] }, "text/html", "has media type text/html"],
  [{ schemaVersion: 1, fsLayers: [] }, undefined, "obsolete schema version 1"],
  [{ config: layer }, undefined, "has no list of layers"],
  [{ manifests: [{ ...layer, digest: "sha256:x" }] }, undefined, "malformed descriptor in manifests"],
  [{ manifests: [{ ...layer, size: -1 }] }, undefined, "malformed descriptor"],
  [{ manifests: [{ ...layer, platform: "linux" }] }, undefined, "malformed descriptor"],
  [{ layers: [] }, undefined, "malformed descriptor in config"],
  [[], undefined, "is not a JSON object"],
])("SEC-34 refuses %j", (value, mediaType, problem) => {
  expect(() => parse(value, mediaType)).toThrow(problem);
});

test("SEC-34 refuses what is too long or no JSON", () => {
  expect(() => parseManifest(Buffer.alloc(5 * 1024 * 1024), undefined, "it")).toThrow("longer than");
  expect(() => parseManifest(Buffer.from("{"), undefined, "it")).toThrow("it is not JSON");
});
