import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type FakeRegistry,
  type FakeRegistryOptions,
  fakeRegistry,
} from "../../../test/support/fake-registry.js";
import { writeLayout } from "../../../test/support/write-layout.js";
import { createImage, inspectImage } from "../index.js";

const manifestType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";
const attestationType = "application/vnd.docker.attestation.manifest.v1+json";

let dir: string;
let registry: FakeRegistry;
let intercept: FakeRegistryOptions["intercept"];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-imagetools-"));
  intercept = undefined;
  registry = await fakeRegistry({ intercept: (request) => intercept?.(request) });
});
afterEach(async () => {
  await registry.close();
  await rm(dir, { recursive: true, force: true });
});

const env = () => ({ DOCKER_CONFIG: dir, BUILDX_CONFIG: dir, HOME: dir });
const place = (name: string) => `${registry.host}/${name}`;

interface Listed {
  mediaType: string;
  digest: string;
  size: number;
  [field: string]: unknown;
}

/** Puts a manifest or an index into the registry, and gives its descriptor. */
function put(mediaType: string, value: object, tag = "x", more: object = {}): Listed {
  const digest = registry.addManifest("app", tag, mediaType, { schemaVersion: 2, mediaType, ...value });
  return { mediaType, digest, size: registry.manifests.get(`app@${digest}`)?.content.length ?? 0, ...more };
}

const blob = (content: unknown, more: object = {}) => ({
  ...registry.addBlob("app", typeof content === "string" ? content : JSON.stringify(content)),
  ...more,
});

/** An image of one layer. */
const image = (architecture: string, tag?: string, more: object = {}) =>
  put(
    manifestType,
    { config: blob({ os: "linux", architecture, rootfs: {} }), layers: [blob(`layer of ${architecture}`)] },
    tag,
    { platform: { os: "linux", architecture }, ...more },
  );

const index = (manifests: readonly object[], tag: string, more: object = {}) =>
  put(indexType, { manifests, ...more }, tag);

const inspect = (options: object = {}, name = place("app:1")) =>
  inspectImage(name, { env: env(), ...options });
const make = (options: { sources: string[] } & Record<string, unknown>) =>
  createImage({ env: env(), ...options });

/** Answers nothing from now on, and calls back when it is asked. */
function silence(when: (url: string) => boolean, then: () => void): void {
  intercept = ({ url }) => {
    if (!when(url)) return undefined;
    then();
    return new Promise(() => {}) as never;
  };
}

describe("inspecting an image", () => {
  const statement = (type: string, predicate: unknown, more: object = {}) =>
    blob(
      { predicate },
      {
        mediaType: "application/vnd.in-toto+json",
        annotations: { "in-toto.io/predicate-type": type },
        ...more,
      },
    );
  const attestation = (subject: string, layers: object[], tag = "att") =>
    put(manifestType, { config: blob("{}"), layers }, tag, {
      platform: { os: "unknown", architecture: "unknown" },
      annotations: {
        "vnd.docker.reference.digest": subject,
        "vnd.docker.reference.type": "attestation-manifest",
      },
    });
  const wanted = { configs: true, attestations: { sbom: true, provenance: true } };

  test("gives what an index lists, and each platform's configuration and attestations", async () => {
    const [amd64, arm64] = [image("amd64"), image("arm64")];
    const signed = blob(
      { payload: Buffer.from('{"predicate":{"signed":1}}').toString("base64") },
      {
        mediaType: "application/vnd.in-toto.provenance+dsse",
        annotations: { "in-toto.io/predicate-type": "https://slsa.dev/provenance/v1" },
      },
    );
    const attested = [
      attestation(amd64.digest, [
        statement("https://spdx.dev/Document", { spdx: 1 }),
        statement("https://slsa.dev/provenance/v0.2", { plain: 1 }),
        statement("other", {}),
      ]),
      attestation(arm64.digest, [signed]),
    ];
    index([amd64, arm64, ...attested, blob("a cache", { mediaType: "application/vnd.buildkit.cache" })], "1");
    const { platforms, manifests, name } = await inspect(wanted);
    expect(name).toBe(place("app:1"));
    expect(manifests).toHaveLength(5);
    expect([...platforms.keys()]).toEqual(["linux/amd64", "linux/arm64"]);
    expect(platforms.get("linux/amd64")).toMatchObject({ sbom: [{ spdx: 1 }], provenance: { plain: 1 } });
    expect(platforms.get("linux/arm64")).toMatchObject({ sbom: [], provenance: { signed: 1 } });
    expect((await inspect()).platforms.size).toBe(0);
    expect(
      (await inspect({ configs: true }, place(`app@${amd64.digest}`))).platforms.get("linux/amd64"),
    ).toMatchObject({
      config: { architecture: "amd64" },
    });
  });

  test.each([
    ["no JSON", { configs: true }, "is not JSON"],
    ["[]", { configs: true }, "is not a JSON object"],
  ])("whose configuration is %j is refused by name", async (config, options, message) => {
    put(manifestType, { config: blob(config), layers: [] }, "1");
    await expect(inspect(options)).rejects.toMatchObject({
      code: "REGISTRY_PROTOCOL",
      message: expect.stringContaining(message) as string,
    });
  });

  test.each(["no base64 of JSON", 5, Buffer.from("[5").toString("base64")])(
    "whose signed provenance is nonsense is refused by name (%#)",
    async (payload) => {
      const { digest } = image("amd64");
      const signed = blob(
        { payload },
        {
          mediaType: "application/vnd.in-toto.provenance+dsse",
          annotations: { "in-toto.io/predicate-type": "https://slsa.dev/provenance/v1" },
        },
      );
      index([image("amd64"), attestation(digest, [signed])], "1");
      await expect(inspect({ attestations: { provenance: true } })).rejects.toMatchObject({
        code: "REGISTRY_PROTOCOL",
      });
    },
  );

  test.each([
    { os: 5, architecture: {} },
    { os: "../..", architecture: "\u001b[2J" },
    {},
    { os: "linux", architecture: "a/b", variant: [] },
  ])("of a platform that is none is shown all the same: %j", async (config) => {
    put(manifestType, { config: blob(config), layers: [] }, "1");
    expect((await inspect({ configs: true })).platforms.size).toBe(1);
  });

  test("whose parts are too large to be read is refused before they are", async () => {
    put(manifestType, { config: { ...blob("{}"), size: 1 << 30 }, layers: [] }, "1");
    await expect(inspect({ configs: true })).rejects.toThrow(/is longer than/);
  });

  test("whose indexes list each other many times costs as many reads as there are manifests", async () => {
    let inner = index([image("amd64")], "0");
    for (let level = 0; level < 20; level++)
      inner = index([inner, inner, inner], "1", { annotations: { level: `${level}` } });
    await inspect({ configs: true });
    expect(registry.requests.length).toBeLessThan(60);
  });

  test("that lists more than any image does is refused", async () => {
    const manifests = Array.from({ length: 5000 }, (_, number) => ({
      mediaType: manifestType,
      digest: `sha256:${number.toString(16).padStart(64, "0")}`,
      size: 10,
    }));
    index(manifests, "1");
    await expect(inspect({ configs: true })).rejects.toMatchObject({ code: "REGISTRY_PROTOCOL" });
    expect(registry.requests.length).toBeLessThan(2000);
  });

  test.each(["/manifests/1", "/blobs/"])("is given up when the registry is silent at %s", async (part) => {
    const abort = new AbortController();
    const { digest } = image("amd64");
    index([image("amd64"), attestation(digest, [statement("https://spdx.dev/Document", {})])], "1");
    silence(
      (url) => url.includes(part),
      () => abort.abort(new Error("enough")),
    );
    await expect(inspect({ ...wanted, signal: abort.signal })).rejects.toMatchObject({ code: "ABORTED" });
  });

  test.each([
    [`nosuch:1`, "REGISTRY_NOT_FOUND"],
    [`app@sha256:${"0".repeat(64)}`, "REGISTRY_NOT_FOUND"],
  ])("that is not there is named: %s", async (name, code) => {
    await expect(inspect({}, place(name))).rejects.toMatchObject({ code });
  });
});

describe("making an image", () => {
  test("from a registry into a layout and back brings all of it along", async () => {
    const amd64 = image("amd64");
    const arm64 = image("arm64");
    const foreign = { ...blob("x"), mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar" };
    const windows = put(
      manifestType,
      { config: blob({ os: "windows", architecture: "amd64" }), layers: [foreign] },
      "w",
      {
        platform: { os: "windows", architecture: "amd64" },
      },
    );
    index([amd64, arm64, windows, blob("cache", { mediaType: "application/vnd.buildkit.cache" })], "1");
    const signature = put(
      manifestType,
      {
        config: blob("{}"),
        layers: [],
        subject: amd64,
        artifactType: "application/vnd.dev.cosign.artifact.sig.v1+json",
      },
      "sig",
    );
    const layout = `oci-layout://${join(dir, "layout")}:1`;
    const made = await make({ sources: [place("app:1")], tags: [layout] });
    const files = await readdir(join(dir, "layout/blobs/sha256"));
    for (const { digest } of [amd64, arm64, windows, signature, made.descriptor])
      expect(files).toContain(digest.slice(7));
    expect(files).not.toContain(foreign.digest.slice(7));
    const listed = JSON.parse(await readFile(join(dir, "layout/index.json"), "utf8")) as {
      manifests: Listed[];
    };
    expect(listed.manifests.map(({ digest }) => digest)).toContain(signature.digest);
    const back = await make({ sources: [layout], tags: [place("back:1"), place("back:2")] });
    expect(back.descriptor.digest).toBe(made.descriptor.digest);
    for (const name of ["back:1", "back:2", `back@${signature.digest}`])
      expect(registry.manifests.has(name)).toBe(true);
    expect((await inspect({ configs: true }, layout)).platforms.size).toBe(3);
    // Once more: what is there already is left as it is.
    await make({ sources: [place("app:1")], tags: [layout] });
  });

  test("of several merges what is said of a manifest twice", async () => {
    const amd64 = image("amd64", "amd64");
    index([{ ...amd64, annotations: { a: "1" } }], "1");
    index([{ ...amd64, annotations: { b: "2" }, platform: undefined }, image("arm64")], "2");
    const { content } = await make({
      sources: [place("app:1"), place("app:2"), place("app:amd64")],
      dryRun: true,
    });
    const { manifests } = JSON.parse(content.toString()) as { manifests: Listed[] };
    expect(manifests.map(({ annotations, platform }) => [annotations, platform])).toEqual([
      [
        { a: "1", b: "2" },
        { os: "linux", architecture: "amd64" },
      ],
      [undefined, { os: "linux", architecture: "arm64" }],
    ]);
  });

  test("gives annotations their places, and says which have none", async () => {
    const warnings: string[] = [];
    index([image("amd64"), image("arm64")], "1");
    const { content } = await make({
      sources: [place("app:1")],
      dryRun: true,
      annotations: [
        "index:__proto__=x",
        "manifest-descriptor[linux/arm64]:k=v",
        "manifest-descriptor[linux/s390x]:n=w",
      ],
      onWarning: (text: string) => void warnings.push(text),
    });
    const made = JSON.parse(content.toString()) as { annotations: object; manifests: Listed[] };
    expect(Object.entries(made.annotations)).toEqual([["__proto__", "x"]]);
    expect(made.manifests.map(({ annotations }) => annotations)).toEqual([undefined, { k: "v" }]);
    expect(warnings).toEqual(["annotation n is left out: no manifest is for platform linux/s390x"]);
    const docker = "application/vnd.docker.distribution.manifest.v2+json";
    put(docker, { config: blob({ os: "linux", architecture: "amd64" }), layers: [] }, "docker");
    await make({
      sources: [place("app:docker")],
      dryRun: true,
      annotations: ["index:a=b"],
      onWarning: (text: string) => void warnings.push(text),
    });
    expect(warnings[1]).toContain("annotations are left out");
  });

  test("for some platforms leaves out the others, and takes attestations that only refer along", async () => {
    const amd64 = image("amd64");
    const attested = put(
      manifestType,
      { config: blob("{}"), layers: [], subject: amd64, artifactType: attestationType },
      "a",
    );
    const arm64 = image("arm64");
    const inIndex = put(manifestType, { config: blob("{}"), layers: [blob("s")] }, "b", {
      platform: { os: "unknown", architecture: "unknown" },
      annotations: {
        "vnd.docker.reference.digest": arm64.digest,
        "vnd.docker.reference.type": "attestation-manifest",
      },
    });
    index([amd64, arm64, inIndex], "1");
    const digests = async (platforms: string[]) => {
      const { content } = await make({ sources: [place("app:1")], platforms, dryRun: true });
      return (JSON.parse(content.toString()) as { manifests: Listed[] }).manifests.map(
        ({ digest }) => digest,
      );
    };
    expect(await digests(["linux/amd64"])).toEqual([amd64.digest, attested.digest]);
    expect(await digests(["linux/arm64"])).toEqual([arm64.digest, inIndex.digest]);
    await expect(digests(["linux/s390x"])).rejects.toThrow("none of the manifests match");
    const single = { sources: [place(`app@${amd64.digest}`)], dryRun: true, preferIndex: false };
    expect((await make({ ...single, platforms: ["linux/amd64"] })).descriptor.digest).toBe(amd64.digest);
    await expect(make({ ...single, platforms: ["linux/arm64"] })).rejects.toThrow("does not match any");
  });

  test("of a source that is a whole document names it in short", async () => {
    const document = `<!doctype html>${"x".repeat(1 << 20)}`;
    const refused = await make({ sources: [document], dryRun: true }).catch((error: Error) => error);
    expect(refused).toMatchObject({ code: "INVALID_ARGUMENT" });
    expect((refused as Error).message).toMatch(
      /^failed to parse source "<!doctype html>x{185}…".*too long for a reference$/,
    );
  });

  test("of what is no image is refused by name", async () => {
    put(manifestType, { config: blob("no JSON"), layers: [] }, "1");
    await expect(make({ sources: [place("app:1")], dryRun: true })).rejects.toMatchObject({
      code: "REGISTRY_PROTOCOL",
      message: expect.stringContaining("sha256:") as string,
    });
    put(manifestType, { config: { ...blob("{}"), size: 1 << 30 }, layers: [] }, "2");
    await expect(make({ sources: [place("app:2")], dryRun: true })).rejects.toThrow("is longer than");
    put(manifestType, { config: blob("{}"), layers: [] }, "3");
    expect((await make({ sources: [place("app:3")], dryRun: true })).content.toString()).toContain(
      '"manifests"',
    );
    const sized = JSON.stringify({ digest: image("amd64").digest, size: 5 });
    await expect(make({ sources: [sized], tags: [place("app:4")], dryRun: true })).rejects.toThrow(
      "size mismatch",
    );
  });

  test.each(["itself", "each other", "an index of what it refers to"])(
    "whose referrers are said to be %s is copied all the same",
    async (how) => {
      const amd64 = image("amd64", "1");
      const artifactType = "application/vnd.dev.cosign.artifact.sig.v1+json";
      const other = put(manifestType, { config: blob("{}"), layers: [], annotations: { other: "yes" } }, "o");
      const listing = put(indexType, { manifests: [amd64] }, "l");
      intercept = ({ url }) => {
        const [, of] = /\/referrers\/(.*)$/.exec(url) ?? [];
        if (of === undefined) return undefined;
        const [one] =
          how === "itself"
            ? [amd64]
            : how === "each other"
              ? [of === amd64.digest ? other : amd64]
              : [listing];
        return { body: { schemaVersion: 2, mediaType: indexType, manifests: [{ ...one, artifactType }] } };
      };
      const tags = [`oci-layout://${join(dir, "out")}:1`];
      await make({ sources: [place("app:1")], tags });
      expect(await readdir(join(dir, "out/blobs/sha256"))).toContain(amd64.digest.slice(7));
    },
    10_000,
  );

  test.each(["/referrers/", "/blobs/", "/manifests/1"])(
    "is given up when the registry is silent at %s",
    async (part) => {
      const abort = new AbortController();
      const reason = new Error("enough");
      index([image("amd64"), image("arm64")], "1");
      silence(
        (url) => url.includes(part),
        () => abort.abort(reason),
      );
      const tags = [`oci-layout://${join(dir, "out")}:1`, `oci-layout://${join(dir, "other")}:1`];
      await expect(make({ sources: [place("app:1")], tags, signal: abort.signal })).rejects.toMatchObject({
        code: "ABORTED",
        cause: reason,
      });
      expect(await readdir(dir)).not.toContain("out/index.json");
    },
  );

  test("that one registry refuses ends the copying elsewhere, and says what was copied", async () => {
    index([image("amd64")], "1");
    intercept = ({ method, url }) =>
      method === "POST" && url.includes("/bad/")
        ? { status: 403, body: { errors: [{ code: "DENIED" }] } }
        : undefined;
    await expect(
      make({ sources: [place("app:1")], tags: [place("bad:1"), place("good:1")] }),
    ).rejects.toThrow(new RegExp(`^copy sha256:[0-9a-f]{64} from ${place("app:1")}.* to ${place("bad:1")}`));
  });

  test("whose blob is not what its digest says leaves nothing under the tag", async () => {
    const layer = blob("layer");
    put(manifestType, { config: blob({ os: "linux", architecture: "amd64" }), layers: [layer] }, "1");
    registry.blobs.set(`app@${layer.digest}`, Buffer.from("LAYER"));
    const tags = [`oci-layout://${join(dir, "out")}:1`];
    await expect(make({ sources: [place("app:1")], tags })).rejects.toMatchObject({
      code: "REGISTRY_DIGEST",
    });
    await expect(inspect({}, tags[0])).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
  });
});

describe("an image in a layout", () => {
  test("that is not there, or not whole, is named", async () => {
    const at = (name: string) => `oci-layout://${join(dir, name)}`;
    await expect(inspect({}, at("none:1"))).rejects.toThrow(/no OCI layout is at/);
    const { digest } = await writeLayout(join(dir, "l"));
    await expect(inspect({}, at("l:2"))).rejects.toThrow(/not found/);
    await expect(inspect({}, at(`l@sha256:${"0".repeat(64)}`))).rejects.toMatchObject({
      code: "REGISTRY_NOT_FOUND",
    });
    expect((await inspect({ configs: true }, at(`l@${digest}`))).platforms.size).toBe(1);
    await writeFile(join(dir, "l/blobs/sha256", digest.slice(7)), "{}");
    await expect(inspect({}, at("l:1"))).rejects.toMatchObject({ code: "REGISTRY_DIGEST" });
    await writeFile(
      join(dir, "l/index.json"),
      '{"manifests":[{"digest":5,"annotations":{"org.opencontainers.image.ref.name":"1"}}]}',
    );
    await expect(inspect({}, at("l:1"))).rejects.toThrow(/index\.json/);
    await writeFile(join(dir, "l/index.json"), "no JSON");
    await expect(inspect({}, at("l:1"))).rejects.toThrow(/index\.json/);
  });

  test("is not made under another digest than was asked for", async () => {
    image("amd64", "1");
    const tags = [`oci-layout://${join(dir, "out")}@sha256:${"0".repeat(64)}`];
    await expect(make({ sources: [place("app:1")], tags })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });
});
