import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FakeRegistry, fakeRegistry } from "../../test/support/fake-registry.js";
import { FakeResult, cancelled } from "../../test/support/fake-result.js";
import { gate } from "../../test/support/gate.js";
import { GrpcError, grpcCodes } from "../http2/index.js";
import { mediaTypes } from "../registry/index.js";
import type { BuildOptions } from "./build-options.js";
import { build } from "./build.js";
import { files, tar } from "./contexts.js";

const platforms = ["linux/amd64", "linux/arm64"];
let fake: FakeResult;
let registry: FakeRegistry;
let host: string;

beforeEach(async () => {
  fake = await FakeResult.open(platforms);
  registry = await fakeRegistry();
  host = registry.origin.replace("http://", "");
  fake.script.exports = ({ FrontendAttrs, Exporters }) => {
    // Each node pushes without a tag.
    expect(Exporters).toMatchObject([{ Attrs: { name: `${host}/app`, "push-by-digest": "true" } }]);
    return { "containerimage.digest": pushed(FrontendAttrs["platform"] ?? ""), "image.name": `${host}/app` };
  };
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
  await registry.close();
});

/** The image of one platform, as a node pushes it. */
function pushed(platform: string): string {
  const [os, architecture] = platform.split("/");
  const config = {
    ...registry.addBlob("app", JSON.stringify({ os, architecture })),
    mediaType: "application/vnd.oci.image.config.v1+json",
  };
  const value = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] };
  return registry.addManifest("app", "tmp", mediaTypes.ociManifest, value);
}

const attempt = (more: Partial<BuildOptions> = {}) =>
  build({
    builder: "b",
    env: fake.builder.env,
    context: files({ Dockerfile: "FROM scratch\n" }),
    platforms,
    push: true,
    tags: [`${host}/app:1`, `${host}/app:2`],
    describe: false,
    ...more,
  }).then(
    (result) => ({ result, error: undefined }),
    (error: Error & { code?: string }) => ({ result: undefined, error }),
  );
const merged = (tag: string) => {
  const found = registry.manifests.get(`app:${tag}`);
  return found && (JSON.parse(found.content.toString()) as { manifests: { platform: object }[] });
};

describe("an image that several nodes build", () => {
  it("is joined under all its names, and is the result", async () => {
    const { result, error } = await attempt();
    expect(error).toBeUndefined();
    for (const tag of ["1", "2"])
      expect(merged(tag)?.manifests.map(({ platform }) => platform)).toEqual([
        { os: "linux", architecture: "amd64" },
        { os: "linux", architecture: "arm64" },
      ]);
    expect(result).toMatchObject({
      names: [`${host}/app:1`, `${host}/app:2`],
      digest: result?.imageId,
      metadata: { "containerimage.digest": result?.digest },
    });
    expect(new Set(fake.solves.map(({ Ref }) => Ref)).size).toBe(2);
    const asked = new Set(fake.solves.map(({ FrontendAttrs }) => FrontendAttrs["platform"]));
    expect(asked).toEqual(new Set(platforms));
  });

  it("is none when a node does not say what it has pushed", async () => {
    const { exports } = fake.script;
    for (const digest of [undefined, "", "sha256:x"]) {
      fake.script.exports = (request, call) =>
        request.FrontendAttrs["platform"] === "linux/arm64"
          ? digest === undefined
            ? {}
            : { "containerimage.digest": digest }
          : (exports?.(request, call) ?? {});
      const { error } = await attempt();
      expect(error).toMatchObject({ code: "BUILDER_CLAIM" });
      expect(merged("1")).toBeUndefined();
    }
  });

  it("is none when a node fails, is lost, or the registry does not have what was pushed", async () => {
    const { exports } = fake.script;
    fake.script.solve = (_call, { FrontendOpt }) => {
      if (FrontendOpt["platform"] === "linux/arm64") throw new GrpcError(grpcCodes.unknown, "no emulator");
      return {};
    };
    expect((await attempt()).error?.message).toContain("no emulator");
    delete fake.script.solve;
    fake.script.exports = async (request, call) => {
      const answer = (await exports?.(request, call)) ?? {};
      registry.manifests.clear();
      return answer;
    };
    expect((await attempt()).error).toMatchObject({ code: expect.stringMatching(/^REGISTRY_/) as string });
    expect(merged("1")).toBeUndefined();
  });

  it.each(["the first", "the last"])(
    "is not joined when the build is cancelled after %s node is done",
    async (which) => {
      const abort = new AbortController();
      const one = gate();
      const { exports } = fake.script;
      let done = 0;
      fake.script.exports = async (request, call) => {
        const answer = (await exports?.(request, call)) ?? {};
        if (++done === 1) {
          if (which === "the first") setImmediate(() => abort.abort());
          one.open();
          return answer;
        }
        await one.opened;
        if (which === "the first") return cancelled(call);
        abort.abort();
        return answer;
      };
      expect((await attempt({ signal: abort.signal })).error).toMatchObject({ code: "ABORTED" });
      expect(merged("1")).toBeUndefined();
    },
  );

  it("answers a call on one of them", async () => {
    delete fake.script.exports;
    fake.script.solve = () => ({ result: { metadata: { "result.txt": Buffer.from("fine") } } });
    const { result, error } = await attempt({ call: "check", push: false, tags: [] });
    expect(error).toBeUndefined();
    expect(result?.call?.text).toBe("fine");
    expect(fake.solves).toHaveLength(1);
  });

  it("goes into several places at once where it can", async () => {
    const outputs = [
      { type: "image" as const, attrs: { push: "true" } },
      { type: "docker" as const, dest: "x.tar" },
    ];
    expect((await attempt({ push: false, outputs })).error?.message).toContain(
      "build for platforms of one node",
    );
    const local = [{ type: "local" as const, dest: "x", attrs: { mode: "delete" } }];
    const more = { outputs: local, allow: ["buildx.local.delete"], push: false, tags: [] };
    expect((await attempt(more)).error?.message).toContain("each node would delete what the others wrote");
    const context = tar(Buffer.alloc(1024));
    delete fake.script.exports;
    const bytes = await attempt({ context, push: false, tags: [], outputs: [{ type: "cacheonly" }] });
    expect(bytes.error).toBeUndefined();
  });
});
