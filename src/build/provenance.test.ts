import { createHash } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type PlainDaemon, plainDaemon } from "../../test/support/plain-daemon.js";
import { BuildkitClient, content, control } from "../buildkit/index.js";
import type { BuildEvent } from "../core/index.js";
import { GrpcError, grpcCodes } from "../http2/index.js";
import { service } from "../session/index.js";
import { type MetadataProvenance, readProvenance } from "./provenance.js";

const predicate = "in-toto.io/predicate-type";
const v1 = "https://slsa.dev/provenance/v1";
const v02 = "https://slsa.dev/provenance/v0.2";

let blobs: Map<string, Buffer>;
let history: () => AsyncIterable<object>;
let daemon: PlainDaemon;
let client: BuildkitClient;
let events: BuildEvent[];

beforeEach(async () => {
  blobs = new Map();
  events = [];
  history = async function* () {};
  daemon = plainDaemon(
    service(control.Control, { listenBuildHistory: () => history() }),
    service(content.Content, {
      async *read({ digest }) {
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

/** A result of the build with one attestation, whose bytes the builder has. */
function result(value: unknown, type = v1, mediaType = "application/vnd.in-toto+json") {
  const data = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
  const digest = `sha256:${createHash("sha256").update(data).digest("hex")}`;
  blobs.set(digest, data);
  return {
    Attestations: [{ mediaType, digest, size: BigInt(data.length), annotations: { [predicate]: type } }],
  };
}

/** A history with nothing in it, after something else. */
async function* after(first: Promise<void>): AsyncGenerator<object> {
  await first;
  yield {};
}

function refusal(code: number, message: string): Promise<never> {
  return Promise.reject(new GrpcError(code, message));
}

function recorded(record: object): void {
  history = async function* () {
    yield { record };
  };
}

const read = (mode: MetadataProvenance = "max", signal?: AbortSignal) =>
  readProvenance({ client, ref: "r", mode, sink: (event) => void events.push(event), signal });

const slsa1 = {
  buildDefinition: {
    externalParameters: {
      configSource: { uri: "https://x/a.git", digest: { sha1: "1" }, path: "Dockerfile" },
      request: { frontend: "dockerfile.v0" },
    },
    internalParameters: {
      builderPlatform: "linux/amd64",
      targetPlatform: "linux/arm64",
      buildConfig: { a: 1 },
    },
    resolvedDependencies: [{ uri: "pkg:x", digest: { sha256: "2" } }, 7],
  },
  runDetails: {
    builder: { id: "me" },
    metadata: { invocationId: "i", startedOn: "s", buildkit_completeness: { request: true } },
  },
};

test("SLSA v1 is given as v0.2", async () => {
  recorded({ Result: result(slsa1) });
  const [[name, found] = []] = await read();
  expect(name).toBe("buildx.build.provenance");
  expect(found).toEqual({
    builder: { id: "me" },
    buildType: "https://mobyproject.org/buildkit@v1",
    materials: [{ uri: "pkg:x", digest: { sha256: "2" } }],
    invocation: {
      configSource: { uri: "https://x/a.git", digest: { sha1: "1" }, entryPoint: "Dockerfile" },
      parameters: { frontend: "dockerfile.v0" },
      environment: { platform: "linux/amd64" },
    },
    buildConfig: { a: 1 },
    metadata: {
      buildInvocationID: "i",
      buildStartedOn: "s",
      completeness: { parameters: true, environment: true, materials: false },
      reproducible: false,
      "https://mobyproject.org/buildkit@v1#metadata": {},
    },
  });
  const [[, least] = []] = await read("min");
  expect(Object.keys(least ?? {}).sort()).toEqual(["buildType", "builder", "invocation", "materials"]);
});

test("SLSA v0.2 is given as it is, by platform", async () => {
  const old = { builder: { id: "x" }, metadata: { a: 1 } };
  recorded({ Results: { "linux/amd64": result(old, v02), "linux/arm64": result({ other: 1 }, v02) } });
  expect(Object.fromEntries(await read())).toEqual({
    "buildx.build.provenance/linux/amd64": old,
    "buildx.build.provenance/linux/arm64": { other: 1 },
  });
});

test("what is no provenance is left out", async () => {
  recorded({ Results: { a: result({}, "https://spdx.dev/Document"), b: result({}, v1, "text/plain") } });
  expect(await read()).toEqual(new Map());
  recorded({});
  expect(await read()).toEqual(new Map());
});

test.each(["{", "7", "null", "[]"])("provenance that is %s is warned of and left out", async (text) => {
  recorded({ Result: result(text) });
  expect(await read()).toEqual(new Map());
  expect(events).toContainEqual(
    expect.objectContaining({
      level: "warning",
      text: expect.stringContaining("no JSON object") as string,
    }),
  );
});

test.each([{}, { buildDefinition: 7, runDetails: [] }, { runDetails: { metadata: null } }])(
  "provenance with nothing in it is given in its form: %j",
  async (value) => {
    recorded({ Result: result(value) });
    const [[, found] = []] = await read();
    expect(found).toMatchObject({ builder: { id: "" }, invocation: { environment: { platform: "" } } });
  },
);

test("a builder without a history has none to give", async () => {
  history = () => after(refusal(grpcCodes.unimplemented, "unknown method"));
  expect(await read()).toEqual(new Map());
});

test("a builder that refuses, or has lost the blob, fails the step", async () => {
  history = () => after(refusal(grpcCodes.unavailable, "busy"));
  await expect(read()).rejects.toThrow("busy");
  recorded({ Result: result({}) });
  blobs.clear();
  await expect(read()).rejects.toThrow("no such blob");
  const steps = events.flatMap((event) => (event.type === "status" ? event.vertexes : []));
  expect(steps.at(-1)?.error).toContain("no such blob");
});

test("a builder that does not answer is given up by the signal", async () => {
  const controller = new AbortController();
  history = () => {
    controller.abort(new Error("not wanted any more"));
    return after(new Promise(() => {}));
  };
  await expect(read("max", controller.signal)).rejects.toMatchObject({ code: "ABORTED" });
});
