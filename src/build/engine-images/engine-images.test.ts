import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeBuilder } from "../../../test/support/fake-builder.js";
import { imageArchive } from "../../../test/support/image-archive.js";
import { control, gateway, pb, policysession } from "../../buildkit/index.js";
import { GrpcError, grpcCodes } from "../../http2/index.js";
import { service } from "../../session/index.js";
import type { BuildOptions } from "../build-options.js";
import { build } from "../build.js";
import { files } from "../contexts.js";

let fake: FakeBuilder;
let version: string;
/** What the daemon does to solve, with what the frontend was told; by default nothing, which is a success. */
let solve: (attrs: Record<string, string>) => Promise<object>;
let saves: number;
let image: Record<string, unknown>;

beforeEach(async () => {
  version = "v0.34.2";
  solve = async () => ({});
  saves = 0;
  image = { Id: "sha256:base", Os: "linux", Architecture: "amd64", RootFS: { Layers: [] } };
  let attrs: Record<string, string> = {};
  fake = await FakeBuilder.open([
    service(control.Control, {
      info: () => ({ buildkitVersion: { version } }),
      listWorkers: () => ({ record: [{ ID: "w", platforms: [{ OS: "linux", Architecture: "amd64" }] }] }),
      solve: (request) => solve({ ...attrs, ...request.FrontendAttrs }),
      async *status() {},
    }),
    service(gateway.LLBBridge, {
      solve: (request) => {
        attrs = request.FrontendOpt;
        return {};
      },
      return: () => ({}),
    }),
  ]);
  const archive = await imageArchive();
  fake.engine
    .on("GET", /^\/images\/(?<name>.*)\/json$/, (call) => {
      if (decodeURIComponent(call.params["name"] ?? "") === "base:latest") call.json(image);
      else call.refuse(404, "no such image");
    })
    .on("GET", /^\/images\/(.*\/)?get$/, ({ response }) => {
      saves++;
      response.end(archive);
    });
});
afterEach(() => fake[Symbol.asyncDispose]());

/** Builds, and gives what was told and how it ended. */
async function attempt(options: Partial<BuildOptions> = {}) {
  const told: string[] = [];
  const outcome = await build({
    builder: "b",
    env: fake.env,
    context: files({ Dockerfile: "FROM base\n" }),
    outputs: [{ type: "cacheonly" }],
    onEvent: (event) => {
      if (event.type === "message") told.push(event.text);
    },
    ...options,
  }).catch((error: Error) => error);
  return { outcome, told };
}

/** Asks the client what is to be done with a source, as the daemon does. */
async function decision(identifier: string, platform: object = {}) {
  const session = await fake.daemon.session(fake.daemon.sessions.length - 1);
  const request = create(policysession.CheckPolicyRequestSchema, {
    Source: { Source: create(pb.SourceOpSchema, { identifier }) },
    Platform: platform,
  });
  const { status, response } = await session.unary(
    "/moby.buildkit.v1.sourcepolicy.policysession.PolicyVerifier/CheckPolicy",
    toBinary(policysession.CheckPolicyRequestSchema, request),
  );
  if (!response) return { code: status.code };
  const { result } = fromBinary(policysession.CheckPolicyResponseSchema, response);
  if (result.case !== "decision") return { asks: result.case };
  const { action, update } = result.value;
  return { action, to: update?.identifier };
}

describe("images of the engine", () => {
  test("are what the daemon is told to take, where the Dockerfile names them; each is saved once", async () => {
    const base = "docker-image://docker.io/library/base:latest";
    const decided: unknown[] = [];
    solve = async () => {
      for (const [identifier, platform] of [
        [base, { OS: "linux", Architecture: "amd64" }],
        [base, {}],
        [base, { OS: "linux", Architecture: "arm64" }],
        [`${base}@sha256:${"0".repeat(64)}`, {}],
        [`docker-image://docker.io/library/base@sha256:${"0".repeat(64)}`, {}],
        ["docker-image://docker.io/docker/dockerfile:1", {}],
        ["docker-image://docker.io/library/other:latest", {}],
        ["git://example.com/a", {}],
      ] as const)
        decided.push((await decision(identifier, platform)).to?.replace(/@.*/, ""));
      return {};
    };
    const { outcome } = await attempt({ engineImages: true });
    expect(outcome).not.toBeInstanceOf(Error);
    const converted = "oci-layout://docker.io/library/base:latest";
    expect(decided).toEqual([converted, converted, ...Array<undefined>(6).fill(undefined)]);
    expect(saves).toBe(1);
  });

  test("that nobody named are not handed out, and the first asking for each is told", async () => {
    const base = "docker-image://docker.io/library/base:latest";
    solve = async () => {
      expect((await decision(base)).to).toBeUndefined();
      expect((await decision(base)).to).toBeUndefined();
      return {};
    };
    const { told } = await attempt({ engineImages: true, context: files({ Dockerfile: "FROM scratch\n" }) });
    expect(told.filter((text) => text.includes("--engine-images=base:latest"))).toHaveLength(1);
    expect(saves).toBe(0);
    solve = async () => {
      expect((await decision(base)).to).toContain("oci-layout://");
      return {};
    };
    const context = files({ Dockerfile: "FROM scratch\n" });
    expect((await attempt({ engineImages: { allow: ["base"] }, context })).outcome).not.toBeInstanceOf(Error);
  });

  test.each([
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
  ])("that are of several platforms are taken for each: %s", async (mediaType) => {
    image["Descriptor"] = { mediaType };
    solve = async () => {
      const arm64 = { OS: "linux", Architecture: "arm64" };
      expect((await decision("docker-image://docker.io/library/base:latest", arm64)).to).toContain(
        "oci-layout://",
      );
      return {};
    };
    expect((await attempt({ engineImages: true })).outcome).not.toBeInstanceOf(Error);
  });

  test("are named contexts for daemons that ask for nothing, or where they are named engine://", async () => {
    version = "v0.20.0";
    let got: Record<string, string> = {};
    solve = async (attrs) => {
      got = attrs;
      return {};
    };
    expect((await attempt({ engineImages: true })).outcome).not.toBeInstanceOf(Error);
    expect(Object.entries(got)).toContainEqual([
      expect.stringMatching(/^context:.*base/) as string,
      expect.stringMatching(/^oci-layout:\/\/\w+@sha256:/) as string,
    ]);
    version = "v0.34.2";
    const options = { buildContexts: { mine: "engine://base" }, platforms: ["linux/arm64"] };
    const { outcome, told } = await attempt(options);
    expect(outcome).not.toBeInstanceOf(Error);
    expect(got["context:mine"]).toMatch(/^oci-layout:\/\/\w+@sha256:/);
    expect(told).toContainEqual(expect.stringContaining("is for linux/amd64, the build for linux/arm64"));
  });

  test("that are not there are named, and so is an engine that refuses or breaks", async () => {
    const buildContexts = { mine: "engine://other" };
    expect((await attempt({ buildContexts })).outcome).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("has no image other") as string,
    });
    const mine = { buildContexts: { mine: "engine://base" } };
    fake.engine.on("GET", /^\/images\/(.*\/)?get$/, (call) => call.refuse(500, "the engine is on fire"));
    expect(((await attempt(mine)).outcome as Error).message).toContain("on fire");
    fake.engine.on("GET", /^\/images\/(.*\/)?get$/, ({ response, socket }) => {
      response.write("x".repeat(1000));
      setImmediate(() => socket.destroy());
    });
    expect((await attempt(mine)).outcome).toMatchObject({ code: "ENGINE_CONNECTION_LOST" });
    fake.engine.on("GET", /^\/images\/(?<name>.*)\/json$/, (call) => call.cut());
    expect((await attempt(mine)).outcome).toMatchObject({ code: "ENGINE_CONNECTION_LOST" });
  });

  test.each(["by the engine, before the solve", "by the engine, during the solve"])(
    "that are given slowly %s do not hold a cancelled build",
    async (when) => {
      const abort = new AbortController();
      fake.engine.on("GET", /^\/images\/(.*\/)?get$/, () => abort.abort(new Error("enough")));
      solve = async () => {
        await decision("docker-image://docker.io/library/base:latest");
        throw new GrpcError(grpcCodes.cancelled, "the client has gone");
      };
      const options = when.endsWith("during the solve")
        ? { engineImages: true }
        : { buildContexts: { mine: "engine://base" } };
      const { outcome } = await attempt({ ...options, signal: abort.signal });
      expect(outcome).toMatchObject({ code: "ABORTED" });
    },
  );

  test("whose saving fails while the daemon asks fail the build with what went wrong", async () => {
    fake.engine.on("GET", /^\/images\/(.*\/)?get$/, (call) => call.refuse(500, "no space left"));
    solve = async () => {
      const { code } = await decision("docker-image://docker.io/library/base:latest");
      throw new GrpcError(code ?? grpcCodes.unknown, "policy: no space left");
    };
    const { outcome } = await attempt({ engineImages: true });
    expect((outcome as Error).message).toContain("no space left");
  });
});
