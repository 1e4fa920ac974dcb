import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeResult, cancelled } from "../../test/support/fake-result.js";
import type { BuildEvent } from "../core/index.js";
import { GrpcError, grpcCodes } from "../http2/index.js";
import type { BuildOptions } from "./build-options.js";
import { build } from "./build.js";
import { files } from "./contexts.js";

let fake: FakeResult;
beforeEach(async () => {
  fake = await FakeResult.open();
  fake.script.statFile = () => ({ stat: { path: Buffer.from("Dockerfile"), size: 13n } });
  fake.script.readFile = () => ({ Data: Buffer.from("FROM scratch\n") });
});
afterEach(() => fake[Symbol.asyncDispose]());

const url = "https://me:s3cr3t@example.com/Dockerfile";

async function attempt(more: Partial<BuildOptions> = {}) {
  const events: BuildEvent[] = [];
  const error = await build({
    builder: "b",
    env: fake.builder.env,
    context: files({ x: "" }),
    file: url,
    outputs: [{ type: "cacheonly" }],
    onEvent: (event) => void events.push(event),
    ...more,
  }).then(
    () => undefined,
    (thrown: Error & { code?: string }) => thrown,
  );
  expect(JSON.stringify(events)).not.toContain("s3cr3t");
  expect(error?.message ?? "").not.toContain("s3cr3t");
  return error;
}

describe("a Dockerfile at a URL", () => {
  it("is fetched by the builder, in a build that its history does not know, and sent to it", async () => {
    expect(await attempt()).toBeUndefined();
    expect(fake.solves.map(({ Internal }) => Internal)).toEqual([true, false]);
    expect(fake.returned).toHaveLength(2);
  });

  it("that is too large, or that the daemon cannot fetch, fails by name", async () => {
    fake.script.statFile = () => ({ stat: { size: (2n << 20n) + 1n } });
    expect((await attempt())?.message).toBe(
      "Dockerfile https://example.com/Dockerfile bigger than allowed max size (2MB)",
    );
    expect(fake.solves).toHaveLength(1);
    fake.script.solve = () => Promise.reject(new GrpcError(grpcCodes.unknown, `GET ${url}: 404`));
    const error = await attempt();
    expect(error).toMatchObject({ code: "BUILD_FAILED" });
    expect(error?.message).toMatch(/^failed to fetch the Dockerfile https:.*example\.com\/Dockerfile: /);
  });

  it.each([
    ["nothing", {}, {}],
    ["no file", { stat: undefined }, { Data: Buffer.alloc(0) }],
    ["negative sizes", { stat: { size: -1n } }, { Data: Buffer.from("FROM scratch\n") }],
  ])("of a daemon that answers %s is what it is said to be", async (_what, stat, read) => {
    fake.script.solve = (_call, request) => (request.Definition ? {} : {});
    fake.script.statFile = () => stat;
    fake.script.readFile = () => read;
    expect(await attempt()).toBeUndefined();
  });

  it.each(["solve", "statFile", "readFile"] as const)(
    "is given up when the build is cancelled in %s",
    async (call) => {
      const abort = new AbortController();
      fake.script[call] = (...given: unknown[]) => {
        abort.abort();
        const server = (call === "solve" ? given[0] : given[1]) as Parameters<typeof cancelled>[0];
        return cancelled(server);
      };
      expect(await attempt({ signal: abort.signal })).toMatchObject({ code: "ABORTED" });
      expect(fake.solves).toHaveLength(1);
    },
  );
});
