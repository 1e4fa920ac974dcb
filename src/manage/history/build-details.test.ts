import { create, toBinary } from "@bufbuild/protobuf";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHistory, endedBuild } from "../../../test/support/fake-history.js";
import { rpc } from "../../buildkit/index.js";
import { type BuildHistory, type BuildRecord, inspectBuild } from "../index.js";

let fake: FakeHistory;
let builds: BuildHistory;
beforeEach(async () => {
  fake = await FakeHistory.open();
  builds = await fake.history();
});
afterEach(async () => {
  await builds.close();
  await fake[Symbol.asyncDispose]();
});

async function recordOf(more: Parameters<typeof endedBuild>[1]): Promise<BuildRecord> {
  fake.records.splice(0, 1, endedBuild("one", more));
  return builds.record("one");
}

const inspected = async (more: Parameters<typeof endedBuild>[1]) =>
  inspectBuild(builds, await recordOf(more), { directory: "/work" });

const ociIndex = "application/vnd.oci.image.index.v1+json";
const ociManifest = "application/vnd.oci.image.manifest.v1+json";
const inToto = "application/vnd.in-toto+json";
const slsa = "https://slsa.dev/provenance/v1";

/** An attestation of a build whose predicate is this. */
const provenance = (predicate: unknown) => ({
  Result: { Attestations: [fake.store(predicate, inToto, { "in-toto.io/predicate-type": slsa })] },
});

describe("what is told of a build", () => {
  test("is in the build command's words", async () => {
    const { record: _, ...details } = await inspected({
      FrontendAttrs: {
        "frontend.caps": "x",
        context: "https://me:secret@example.com/repo.git",
        filename: "Dockerfile.prod",
        target: "app",
        platform: "linux/arm64,linux/amd64",
        "build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR": "1",
        "build-arg:A": "b",
        "build-arg:__proto__": "c",
        "context:base": "docker-image://x",
        "label:l": "m",
        "no-cache": "one,two",
        "add-hosts": 'a=1,"b=2"',
        "multi-platform": "true",
        "force-network-mode": "host",
        "shm-size": "10",
        unheard: "of",
      },
    });
    expect(details).toMatchObject({
      context: expect.not.stringContaining("secret") as string,
      dockerfile: "Dockerfile.prod",
      target: "app",
      platforms: ["linux/arm64", "linux/amd64"],
      keepGitDir: true,
      namedContexts: [{ name: "base", value: "docker-image://x" }],
      labels: [{ name: "l", value: "m" }],
      config: {
        network: "host",
        shmSize: "10",
        multiPlatform: true,
        noCacheFilter: ["one", "two"],
        extraHosts: ["a=1", "b=2"],
        rest: [{ name: "unheard", value: "of" }],
      },
      problems: [],
    });
    expect(details.buildArgs.map(({ name }) => name)).toEqual(["A", "__proto__"]);
  });

  test("of what cannot be read is a problem, and no more", async () => {
    const { problems, platforms, keepGitDir } = await inspected({
      FrontendAttrs: {
        platform: "a/b/c/d/e",
        "build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR": "perhaps",
        "add-hosts": 'a"b',
        "no-cache": "",
        "vcs:source": "https://example.com/repo.git",
        "vcs:revision": "abc",
        "vcs:localdir:dockerfile": "sub",
        filename: "Dockerfile",
      },
    });
    expect({ platforms, keepGitDir }).toEqual({ platforms: [], keepGitDir: false });
    expect(problems).toHaveLength(3);
  });
});

describe("the materials of a build", () => {
  test.each([
    [
      {
        buildDefinition: { resolvedDependencies: [{ uri: "pkg:a", digest: { sha256: "1" } }, 5, { uri: 5 }] },
      },
      [
        { uri: "pkg:a", digests: ["sha256:1"] },
        { uri: "", digests: [] },
      ],
    ],
    [{ materials: [{ uri: "pkg:b", digest: "x" }] }, [{ uri: "pkg:b", digests: [] }]],
    [{ materials: { a: 1 } }, []],
    [[], []],
    ["no JSON", []],
    // What String() cannot make a text of.
    [
      { materials: [{ uri: "u", digest: { sha256: { toString: 1 }, sha1: "2" } }] },
      [{ uri: "u", digests: ["sha1:2"] }],
    ],
  ])("are what its provenance says, as far as that can be read (%#)", async (predicate, materials) => {
    expect((await inspected(provenance(predicate))).materials).toEqual(materials);
  });

  test("that the builder no longer has fail the call, and none are asked for without provenance", async () => {
    const more = provenance({});
    fake.blobs.clear();
    await expect(inspected(more)).rejects.toMatchObject({ code: "BUILDKIT_STATUS" });
    expect((await inspected({})).materials).toEqual([]);
  });
});

describe("attachments of a build", () => {
  const gone = { digest: `sha256:${"0".repeat(64)}`, mediaType: ociManifest, size: 1n, annotations: {} };

  test("are what its results list, each once, without what the builder no longer has", async () => {
    const manifest = fake.store({ config: 1 }, ociManifest);
    const attestation = fake.store({ layers: [] }, ociManifest);
    const entry = ({ digest, mediaType, size }: typeof gone, more: object = {}) => ({
      digest,
      mediaType,
      size: Number(size),
      ...more,
    });
    const index = fake.store(
      {
        manifests: [
          entry(manifest, { platform: { os: "linux", architecture: "arm64", variant: "v8" } }),
          entry(attestation, { annotations: { "vnd.docker.reference.type": "attestation-manifest" } }),
          entry(gone),
          entry(manifest, { platform: { os: "linux", architecture: "arm64", variant: "v8" } }),
        ],
      },
      ociIndex,
    );
    const { attachments } = await inspected({ Result: { Results: { 0: index } } });
    expect(attachments.map(({ digest, type, platform }) => [digest, type, platform])).toEqual([
      [index.digest, ociIndex, undefined],
      [manifest.digest, ociManifest, "linux/arm64/v8"],
    ]);
  });

  test.each<[string, object]>([
    ["lists what is no descriptor", { manifests: [{ nonsense: true }] }],
    ["is a manifest too (CVE-2021-41190)", { manifests: [], layers: [] }],
    ["lists nothing at all", {}],
  ])("are the index alone where that %s", async (_, document) => {
    const index = fake.store(document, ociIndex);
    const { attachments } = await inspected({ Result: { Results: { 0: index } } });
    expect(attachments.map(({ digest }) => digest)).toEqual([index.digest]);
  });

  test.each(["no JSON", "[]", "{}", '{"manifests":5}'])(
    "are none of an index that is %j",
    async (content) => {
      const index = fake.store(content, ociIndex);
      const { attachments } = await inspected({ Result: { Results: { 0: index } } });
      expect(attachments.map(({ digest }) => digest)).toEqual([index.digest]);
    },
  );

  test("of a builder that is silent or lost are given up", async () => {
    const record = await recordOf({ Result: { Results: { 0: fake.store({}, ociIndex) } } });
    const abort = new AbortController();
    fake.script.info = async (_digest, call) => {
      abort.abort(new Error("enough"));
      await once(call.signal, "abort");
      return {};
    };
    await expect(inspectBuild(builds, record, { signal: abort.signal })).rejects.toMatchObject({
      code: "ABORTED",
    });
    fake.script.info = () => fake.builder.daemon[Symbol.asyncDispose]().then(() => ({}));
    await expect(inspectBuild(builds, record)).rejects.toMatchObject({ code: "BUILDKIT_CONNECTION_LOST" });
  });
});

describe("why a build failed", () => {
  const json = (typeUrl: string, value: unknown) => ({
    typeUrl: `github.com/moby/buildkit/${typeUrl}+json`,
    value: Buffer.from(typeof value === "string" ? value : JSON.stringify(value)),
  });
  const status = (...details: ReturnType<typeof json>[]) =>
    fake.store(
      toBinary(rpc.StatusSchema, create(rpc.StatusSchema, { code: 2, message: "process failed", details })),
    );
  const failureOf = async (externalError: ReturnType<typeof status> | undefined) =>
    (
      await inspected({
        error: { code: 2, message: "process failed" },
        ...(externalError && { externalError }),
      })
    ).failure;

  test("is its code and message, where there is no more", async () => {
    expect(await failureOf(undefined)).toEqual({
      code: 2,
      codeName: "Unknown",
      message: "process failed",
      sources: [],
      stack: "",
    });
    expect((await inspected({})).failure).toBeUndefined();
  });

  test("has the step with the end of its output, places and stacks", async () => {
    const digest = "sha256:step";
    fake.script.status = async function* () {
      yield {
        vertexes: [
          { digest: "sha256:other", name: "other" },
          { digest, name: "RUN false" },
        ],
      };
      const log = (text: string, stream = 1, vertex = digest) => ({
        vertex,
        stream: BigInt(stream),
        msg: Buffer.from(text),
      });
      yield { logs: [log("one\ntw"), log("error ", 2), log("not this", 1, "sha256:other")] };
      yield {
        logs: [log("o\n"), log("line\n", 2), log(Array.from({ length: 20 }, (_, n) => `${n}\n`).join(""))],
      };
    };
    const failure = await failureOf(
      status(
        json("errdefs.Vertex", { digest }),
        json("errdefs.Source", {
          info: { filename: "Dockerfile" },
          ranges: [{ start: { line: 2 }, end: { line: 2 } }],
        }),
        json("stack.Stack", {
          frames: [{ Name: "main", File: "a.go", Line: 5 }],
          cmdline: ["buildkitd"],
          pid: 1,
          version: "v1",
        }),
      ),
    );
    expect(failure?.step).toMatchObject({ digest, name: "RUN false" });
    expect(failure?.step?.logs).toEqual(Array.from({ length: 16 }, (_, n) => `${n + 4}`));
    expect(failure?.sources).toHaveLength(1);
    expect(failure?.stack).toBe("1 v1 buildkitd\nmain\n\ta.go:5\n");
  });

  test("joins the lines of each stream, in the order in which they began", async () => {
    const digest = "sha256:step";
    fake.script.status = async function* () {
      const log = (text: string, stream = 1) => ({
        vertex: digest,
        stream: BigInt(stream),
        msg: Buffer.from(text),
      });
      yield {
        logs: [log("one\ntw"), log("err", 2), log("o\n"), log("or\n", 2), log("three"), log(""), log("!")],
      };
    };
    const failure = await failureOf(status(json("errdefs.Vertex", { digest })));
    expect(failure?.step?.logs).toEqual(["one", "two", "error", "three!"]);
  });

  test.each([
    "no JSON",
    "null",
    "5",
    { frames: 5 },
    { frames: {} },
    { frames: [null, 5, {}], cmdline: "x", pid: {}, version: [] },
    { frames: [{ Name: {}, File: null, Line: "x" }], cmdline: [null, {}] },
  ])("has no nonsense for a stack: %j", async (value) => {
    const failure = await failureOf(status(json("stack.Stack", value)));
    expect(failure).toMatchObject({ message: "process failed", codeName: "Unknown" });
    expect(failure?.stack).not.toMatch(/undefined|object Object|null/);
  });

  test("is its code and message where its details are nonsense, or gone", async () => {
    expect(await failureOf(fake.store("\xff\xff\xff no protobuf"))).toMatchObject({
      message: "process failed",
    });
    const lost = status();
    fake.blobs.clear();
    expect(await failureOf(lost)).toMatchObject({ message: "process failed", codeName: "Unknown" });
  });

  test("is given up when the progress is silent", async () => {
    const abort = new AbortController();
    fake.script.status = async function* (call) {
      yield {};
      abort.abort(new Error("enough"));
      await once(call.signal, "abort");
    };
    const externalError = status(json("errdefs.Vertex", { digest: "sha256:step" }));
    const record = await recordOf({ error: { code: 2, message: "no" }, externalError });
    await expect(builds.failure(record, { signal: abort.signal })).rejects.toMatchObject({ code: "ABORTED" });
  });
});
