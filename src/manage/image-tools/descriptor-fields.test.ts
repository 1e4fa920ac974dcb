import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeLayout } from "../../../test/support/write-layout.js";
import { createImage } from "../index.js";
import { parseImageLocation } from "./image-location.js";
import { LayoutStore } from "./layout-store.js";

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), "slipway-descriptors-"))));
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Every field that OCI's image-spec 1.1 has beside the three that all descriptors have. */
const fields = {
  artifactType: "application/vnd.example+json",
  annotations: { "com.example.a": "b" },
  data: "e30=",
  urls: ["https://example.com/blob"],
  platform: {
    architecture: "arm64",
    os: "windows",
    "os.version": "10.0.20348.1",
    "os.features": ["win32k"],
    variant: "v8",
  },
};

/** What an index that is made of a source lists. */
async function listed(source: string): Promise<unknown> {
  const tags = [`oci-layout://${dir}:made`];
  const options = { sources: [source], tags, env: { DOCKER_CONFIG: dir }, dryRun: true };
  const { content } = await createImage(options);
  return (JSON.parse(content.toString()) as { manifests: unknown[] }).manifests[0];
}

test("every field of a descriptor that is given as JSON comes into the index", async () => {
  const { mediaType, digest, size } = await writeLayout(dir);
  const descriptor = { mediaType, digest, size, ...fields };
  expect(await listed(JSON.stringify(descriptor))).toEqual(descriptor);
  expect(await listed(`\ufeff\n ${JSON.stringify(descriptor)}\n`)).toEqual(descriptor);
  // What is not given is looked up.
  expect(await listed(JSON.stringify({ digest, ...fields }))).toEqual(descriptor);
});

test("every field of the entry in a layout's index.json comes into the index", async () => {
  const { mediaType, digest, size } = await writeLayout(dir, fields);
  expect(await listed(`oci-layout://${dir}:1`)).toEqual({
    mediaType,
    digest,
    size,
    ...fields,
    annotations: { ...fields.annotations, "org.opencontainers.image.ref.name": "1" },
  });
});

test("every field of a referrer that a layout lists is kept", async () => {
  const subject = `sha256:${"5".repeat(64)}`;
  const annotations = { ...fields.annotations, "io.containerd.manifest.subject": subject };
  const entry = await writeLayout(dir, { ...fields, annotations });
  const location = parseImageLocation(`oci-layout://${dir}:1`);
  if (location.kind !== "layout") expect.fail("no layout");
  expect(await new LayoutStore().referrers(location, subject)).toEqual([entry]);
});
