import { createHash } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type PlainDaemon, plainDaemon } from "../../test/support/plain-daemon.js";
import { BuildkitClient, content } from "../buildkit/index.js";
import { GrpcError, type ServerCall, grpcCodes } from "../http2/index.js";
import { service } from "../session/index.js";
import { describeImage } from "./describe-image.js";

let blobs: Map<string, Buffer>;
let onRead: ((call: ServerCall) => Promise<void> | void) | undefined;
let daemon: PlainDaemon;
let client: BuildkitClient;

beforeEach(async () => {
  blobs = new Map();
  onRead = undefined;
  daemon = plainDaemon(
    service(content.Content, {
      async *read({ digest }, call) {
        await onRead?.(call);
        const data = blobs.get(digest);
        if (!data) throw new GrpcError(grpcCodes.notFound, "no such blob");
        yield { offset: 0n, data };
      },
    }),
  );
  client = await BuildkitClient.connect(daemon.dial);
});
afterEach(async () => {
  await client.close();
  await daemon[Symbol.asyncDispose]();
});

/** Puts a document into the builder's store, and gives its digest. */
function stored(value: unknown): string {
  const data = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
  const digest = `sha256:${createHash("sha256").update(data).digest("hex")}`;
  blobs.set(digest, data);
  return digest;
}

const layer = { digest: `sha256:${"a".repeat(64)}`, size: 7, mediaType: "tar" };
const config = (history: object[], more: object = {}) =>
  stored({ os: "linux", architecture: "arm64", variant: "v8", history, ...more });
const manifest = (configDigest: string, layers: unknown = [layer]) =>
  stored({ config: descriptor(configDigest, "config"), layers });
const descriptor = (digest: string, mediaType = "manifest") => ({ mediaType, digest, size: 1 });

test("a manifest has the platform of its configuration, and layers with what made them", async () => {
  const digest = manifest(config([{ created_by: "ENV x", empty_layer: true }, { created_by: "COPY . ." }]));
  expect(await describeImage(client, digest)).toEqual([
    { platform: "linux/arm64/v8", digest, layers: [{ ...layer, createdBy: "COPY . ." }] },
  ]);
});

test("a history that does not fit says nothing", async () => {
  const digest = manifest(config([{ created_by: "a" }, { created_by: "b" }]));
  expect((await describeImage(client, digest))[0]?.layers).toEqual([layer]);
});

test("an index has its images in order, without attestations", async () => {
  const images = Array.from({ length: 9 }, (_, number) => manifest(config([], { number })));
  const attestation = {
    ...descriptor(manifest(config([]))),
    platform: { os: "unknown", architecture: "unknown" },
  };
  const platform = { os: "linux", architecture: "amd64" };
  const index = stored({
    manifests: [attestation, ...images.map((digest) => ({ ...descriptor(digest), platform }))],
  });
  const described = await describeImage(client, index);
  expect(described.map(({ digest }) => digest)).toEqual(images);
  expect(described[0]?.platform).toBe("linux/amd64");
});

test.each<[string, () => string]>([
  ["is not there", () => `sha256:${"0".repeat(64)}`],
  ["is no JSON", () => stored("{")],
  ["names a configuration that is not there", () => manifest(`sha256:${"1".repeat(64)}`)],
  ["names what is no digest", () => manifest("../../etc/passwd")],
  ["names an image without a digest", () => stored({ manifests: [{}] })],
  [
    "has more platforms than there are",
    () => stored({ manifests: Array.from({ length: 201 }, () => descriptor(manifest(config([])))) }),
  ],
])("an image that %s is described by nothing", async (_, make) => {
  expect(await describeImage(client, make())).toEqual([]);
});

test.each<unknown>([null, 7, [], { layers: "x", config: "y" }, { manifests: {} }])(
  "an image that is %j is described by nothing",
  async (value) => {
    expect(await describeImage(client, stored(value))).toEqual([]);
  },
);

test("what is an index and a manifest at once is described by nothing (CVE-2021-41190)", async () => {
  const both = { config: descriptor(config([]), "config"), layers: [layer] };
  expect(await describeImage(client, stored(both))).toHaveLength(1);
  const inner = descriptor(manifest(config([])));
  expect(await describeImage(client, stored({ ...both, manifests: [inner] }))).toEqual([]);
});

test("a cancel ends the reading, and a builder that is lost is described by nothing", async () => {
  const digest = manifest(config([]));
  const controller = new AbortController();
  onRead = () => {
    controller.abort(new Error("not wanted any more"));
    return new Promise(() => {});
  };
  await expect(describeImage(client, digest, controller.signal)).rejects.toMatchObject({ code: "ABORTED" });
  onRead = () => daemon.lose();
  expect(await describeImage(client, digest)).toEqual([]);
});
