import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { digestOf } from "../../registry/index.js";
import { describeProvenance, snapshotReplay } from "./replay.js";
import { parseMaterialSpecs } from "./material-specs.js";
import { findMaterial } from "./material-store.js";
import { prepareVerificationFiles } from "./vsa.js";

/** Layouts and places that somebody made to mislead. */
let dir: string;
let layout: string;

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "slipway-hostile-"));
  layout = path.join(dir, "layout");
  await mkdir(path.join(layout, "blobs/sha256"), { recursive: true });
  await writeFile(path.join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
});

afterEach(() => rm(dir, { recursive: true, force: true }));

const types = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
};

async function blob(value: object | string, mediaType: string, more: object = {}) {
  const content = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
  const digest = digestOf(content);
  await writeFile(path.join(layout, "blobs", digest.replace(":", "/")), content);
  return { mediaType, digest, size: content.length, ...more };
}

const named = (descriptor: object) => ({
  ...descriptor,
  annotations: { "org.opencontainers.image.ref.name": "latest" },
});

async function publish(...manifests: object[]): Promise<void> {
  await writeFile(path.join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
}

const predicateType = "https://slsa.dev/provenance/v1";

/** An image with attestations, whose provenance is about `about`. */
async function attested(about: (digest: string) => string, materials: object[] = []): Promise<void> {
  const config = await blob(
    { os: "linux", architecture: "amd64" },
    "application/vnd.oci.image.config.v1+json",
  );
  const base = { schemaVersion: 2, mediaType: types.manifest, config };
  const image = await blob({ ...base, layers: [] }, types.manifest);
  const predicate = {
    buildDefinition: { resolvedDependencies: materials },
  };
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    predicateType,
    subject: [{ name: "x", digest: { sha256: about(image.digest).replace("sha256:", "") } }],
    predicate,
  };
  const annotations = { "in-toto.io/predicate-type": predicateType };
  const layer = await blob(statement, "application/vnd.in-toto+json", { annotations });
  const attestation = await blob({ ...base, layers: [layer] }, types.manifest);
  const platform = { os: "linux", architecture: "amd64" };
  const reference = {
    "vnd.docker.reference.type": "attestation-manifest",
    "vnd.docker.reference.digest": image.digest,
  };
  const manifests = [
    { ...image, platform },
    { ...attestation, annotations: reference },
  ];
  await publish(named(await blob({ schemaVersion: 2, mediaType: types.index, manifests }, types.index)));
}

test("provenance that is about another image is none of this one", async () => {
  await attested((digest) => digest);
  expect(await describeProvenance(layout)).toMatchObject({ version: "v1", mode: "min" });
  await attested(() => `sha256:${"e".repeat(64)}`);
  await expect(describeProvenance(`oci-layout://${layout}`)).rejects.toThrow(
    /^the provenance of oci-layout:.* is about sha256:e+, not about sha256:/,
  );
});

test("a snapshot copies no material under a digest that its name contradicts, and none without a digest", async () => {
  const output = { layout: path.join(dir, "snapshot") };
  const uri = `pkg:docker/other.example.com/secret@1?digest=sha256%3A${"d".repeat(64)}`;
  await attested((digest) => digest, [{ uri, digest: { sha256: "a".repeat(64) } }]);
  await expect(snapshotReplay(layout, { output })).rejects.toThrow("does not match recorded digest");
  await attested((digest) => digest, [{ uri: "pkg:docker/alpine@3", digest: {} }]);
  await expect(snapshotReplay(layout, { output })).rejects.toThrow("has no digest");
  await attested(
    (digest) => digest,
    [{ uri: "http://example.com/$(id)\nRUN evil", digest: { sha256: "a".repeat(64) } }],
  );
  await expect(snapshotReplay(layout, { output })).rejects.toThrow("a URL that cannot be asked for");
  await attested(
    (digest) => digest,
    [{ uri: "https://example.com/app.git#main", digest: { sha1: "--upload-pack=evil" } }],
  );
  await expect(snapshotReplay(layout, { output })).rejects.toThrow("has no commit");
});

test("indexes that list each other are looked through once", async () => {
  // No digest can be its own, but an index may list another many times over, on every floor.
  let inner = await blob({ schemaVersion: 2, mediaType: types.index, manifests: [] }, types.index);
  for (let depth = 0; depth < 30; depth++) {
    const manifests = Array.from({ length: 50 }, () => inner);
    inner = await blob({ schemaVersion: 2, mediaType: types.index, manifests }, types.index);
  }
  await publish(named(inner));
  const specs = await parseMaterialSpecs([`oci-layout://${layout}`]);
  const material = {
    uri: "https://example.com/app.git",
    kind: "git" as const,
    digest: `sha1:${"1".repeat(40)}`,
  };
  expect(await findMaterial(specs, material)).toBeUndefined();
  await expect(describeProvenance(layout)).rejects.toMatchObject({ code: "REPLAY_NO_PROVENANCE" });
});

test("a material's digest leads nowhere but into its store", async () => {
  await writeFile(path.join(dir, "secret"), "secret");
  const specs = await parseMaterialSpecs([layout]);
  for (const digest of [
    "sha256:../../../secret",
    "../../secret:x",
    `sha256:${"0".repeat(64)}`,
    "",
    "sha256:",
  ])
    expect(await findMaterial(specs, { uri: "x", kind: "http", digest })).toBeUndefined();
  const file = await parseMaterialSpecs([`https://example.com/a=${path.join(dir, "secret")}`]);
  await expect(
    findMaterial(file, { uri: "https://example.com/a", kind: "http", digest: `sha256:${"0".repeat(64)}` }),
  ).rejects.toThrow("has another digest");
});

test("specs of materials are read, or refused by what is wrong with them", async () => {
  expect(await parseMaterialSpecs([])).toMatchObject({ recorded: true });
  expect(await parseMaterialSpecs(["provenance", ` ${layout} `])).toMatchObject({
    recorded: true,
    stores: [{ path: layout, isLayout: false }],
  });
  const { overrides, recorded } = await parseMaterialSpecs([`https://e.com/?a=b=${layout}`]);
  expect([...overrides.keys()]).toEqual(["https://e.com/?a=b"]);
  expect(recorded).toBe(false);
  for (const [spec, words] of [
    ["relative", "unrecognized --materials spec"],
    ["a=relative", "malformed --materials override"],
    ["=/x", "malformed --materials override"],
    ["/nowhere/at/all", "is not a directory"],
    ["oci-layout:///nowhere/at/all", "is not a directory"],
    ["a=/nowhere/at/all", "is not there"],
    ["a=/dev/null", "is no file"],
  ] as const)
    await expect(parseMaterialSpecs([spec])).rejects.toThrow(words);
});

test("a summary is not written over a link, a directory or a device; what stood there stays", async () => {
  const output = path.join(dir, "out");
  await mkdir(output);
  const target = path.join(dir, "target");
  await writeFile(target, "mine");
  await symlink(target, path.join(output, "vsa.intoto.jsonl"));
  const preparing = () => prepareVerificationFiles(output, "artifact", undefined);
  await expect(preparing()).rejects.toThrow("it is a symbolic link");
  await rm(path.join(output, "vsa.intoto.jsonl"));
  await mkdir(path.join(output, "diff.json"));
  await expect(preparing()).rejects.toThrow("it is no regular file");
  await rm(path.join(output, "diff.json"), { recursive: true });
  await (await preparing()).write("{}", { context: "root" });
  await expect(prepareVerificationFiles(target, "digest", undefined)).rejects.toThrow();
});
