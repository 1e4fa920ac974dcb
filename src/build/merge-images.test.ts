import { afterEach, beforeEach, expect, test } from "vitest";
import { type FakeRegistry, fakeRegistry } from "../../test/support/fake-registry.js";
import type { Answer } from "../../test/support/http-server.js";
import { loadDockerConfig } from "../config/index.js";
import type { BuildEvent } from "../core/index.js";
import { mediaTypes } from "../registry/index.js";
import { type MergeImagesOptions, mergeImages } from "./merge-images.js";

let registry: FakeRegistry;
let events: BuildEvent[];
let intercept: ((path: string, method: string) => Answer | undefined) | undefined;
let host: string;

beforeEach(async () => {
  intercept = undefined;
  registry = await fakeRegistry({ intercept: ({ url, method }) => intercept?.(url, method ?? "") });
  host = registry.origin.replace("http://", "");
  events = [];
});
afterEach(() => registry.close());

/** What one node pushed: an image of this configuration. */
function pushed(config: unknown, repository = "app"): string {
  const text = typeof config === "string" ? config : JSON.stringify(config);
  const descriptor = {
    ...registry.addBlob(repository, text),
    mediaType: "application/vnd.oci.image.config.v1+json",
  };
  const value = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: descriptor, layers: [] };
  return registry.addManifest(repository, "tmp", mediaTypes.ociManifest, value);
}

async function merge(digests: readonly string[], more: Partial<MergeImagesOptions> = {}): Promise<string> {
  return mergeImages({
    names: [`${host}/app:1`],
    digests,
    attrs: {},
    files: new Map(),
    env: {},
    dockerConfig: await loadDockerConfig({ DOCKER_CONFIG: "/nowhere" }),
    sink: (event) => void events.push(event),
    ...more,
  });
}

const merged = (name: string) => JSON.parse(registry.manifests.get(name)?.content.toString() ?? "") as object;
const amd64 = { os: "linux", architecture: "amd64" };
const arm = { os: "linux", architecture: "arm", variant: "v7" };

test("joins what the nodes pushed under every name, with their platforms and annotations", async () => {
  const digests = [pushed(amd64), pushed(arm)];
  const digest = await merge(digests, {
    names: [`${host}/app:1`, `${host}/app:2`],
    attrs: { "annotation-index.b": "<&>", "annotation-manifest-descriptor[linux/arm/v7].a": "1" },
  });
  const manifests = [
    { digest: digests[0], platform: amd64 },
    { digest: digests[1], platform: arm, annotations: { a: "1" } },
  ];
  for (const name of ["app:1", "app:2", `app@${digest}`])
    expect(merged(name)).toMatchObject({ annotations: { b: "<&>" }, manifests });
  expect(registry.manifests.get("app:1")?.content.toString()).toContain("\\u003c\\u0026\\u003e");
});

test("takes an index apart, and an image once", async () => {
  const inner = pushed(amd64);
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [{ mediaType: mediaTypes.ociManifest, digest: inner, size: 1, platform: amd64 }],
  };
  const digest = registry.addManifest("app", "tmp", mediaTypes.ociIndex, index);
  await merge([digest, digest, pushed({})]);
  expect(merged("app:1")).toMatchObject({ manifests: [{ digest: inner, platform: amd64 }, {}] });
});

test.each([
  ["null", "is not a JSON object"],
  ["[]", "is not a JSON object"],
  ["{", "is not JSON"],
])("a configuration %s is the registry's mistake, and nothing is pushed", async (config, reason) => {
  const failed = merge([pushed(config)]);
  await expect(failed).rejects.toMatchObject({
    code: "REGISTRY_PROTOCOL",
    message: expect.stringContaining(reason) as string,
  });
  expect(registry.manifests.has("app:1")).toBe(false);
});

test("a platform that is no text is none", async () => {
  await merge([pushed({ os: 7, architecture: ["amd64"] })]);
  expect(merged("app:1")).not.toHaveProperty("manifests.0.platform");
});

test("what a node did not push after all is an error, and nothing gets its name", async () => {
  await expect(merge([pushed(amd64), `sha256:${"0".repeat(64)}`])).rejects.toMatchObject({ status: 404 });
  expect(registry.manifests.has("app:1")).toBe(false);
});

test("a registry that refuses the index fails the step", async () => {
  intercept = (_, method) =>
    method === "PUT"
      ? { status: 403, body: { errors: [{ code: "DENIED", message: "not yours" }] } }
      : undefined;
  await expect(merge([pushed(amd64)])).rejects.toMatchObject({ status: 403 });
  const steps = events.flatMap((event) => (event.type === "status" ? event.vertexes : []));
  expect(steps.at(-1)).toMatchObject({
    name: `merging manifest list ${host}/app:1`,
    error: expect.stringContaining("not yours") as string,
  });
});

test("a cancel ends the merge before it is pushed", async () => {
  const controller = new AbortController();
  const digests = [pushed(amd64)];
  intercept = () => {
    controller.abort(new Error("not wanted any more"));
    return undefined;
  };
  await expect(merge(digests, { signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
  expect(registry.manifests.has("app:1")).toBe(false);
});
