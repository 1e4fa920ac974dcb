import { create, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeResult, cancelled } from "../../../test/support/fake-result.js";
import { policysession } from "../../buildkit/index.js";
import type { BuildEvent } from "../../core/index.js";
import { GrpcError, grpcCodes } from "../../http2/index.js";
import type { BuildOptions } from "../build-options.js";
import { build } from "../build.js";
import { files } from "../contexts.js";

let fake: FakeResult;
const caps = (Enabled: boolean) => ({
  LLBCaps: [{ ID: "other" }, { ID: "exec.meta.network.proxy", Enabled }],
});
beforeEach(async () => {
  fake = await FakeResult.open();
  fake.script.ping = () => caps(true);
});
afterEach(() => fake[Symbol.asyncDispose]());

async function attempt(more: Partial<BuildOptions> = {}) {
  const events: BuildEvent[] = [];
  const outcome = await build({
    builder: "b",
    env: fake.builder.env,
    context: files({ Dockerfile: "FROM scratch\n" }),
    outputs: [{ type: "cacheonly" }],
    proxyNetwork: true,
    onEvent: (event) => void events.push(event),
    ...more,
  }).then(
    (result) => ({ result, error: undefined }),
    (error: Error & { code?: string }) => ({ result: undefined, error }),
  );
  return { ...outcome, network: events.filter(({ type }) => type === "network"), events };
}

/** Asks this side whether a URL may be fetched, as the daemon does while a step runs. */
async function ask(identifier: string): Promise<string> {
  const session = await fake.builder.daemon.session();
  const request = create(policysession.CheckPolicyRequestSchema, { Source: { Source: { identifier } } });
  const path = "/moby.buildkit.v1.sourcepolicy.policysession.PolicyVerifier/CheckPolicy";
  expect(session.methods).toContain(path);
  const { status } = await session.unary(path, toBinary(policysession.CheckPolicyRequestSchema, request));
  return status.message;
}

describe("a build whose network is watched", () => {
  it("is asked for what goes through the proxy, and tells of it", async () => {
    fake.script.solve = async () => {
      await ask("https://example.com/a");
      await ask("https://user:s3cr3t@elsewhere.example/b");
      return {};
    };
    const { result, network, error } = await attempt({ proxyNetwork: { allowHosts: ["example.com"] } });
    expect(error).toBeUndefined();
    const requests = [
      { url: "https://example.com/a", allowed: true },
      { url: "https://elsewhere.example/b", allowed: false },
    ];
    expect(result?.network).toEqual({ requests, left: 0, cachedSteps: [] });
    expect(network).toMatchObject([{ requests }]);
    expect(fake.solves).toMatchObject([{ ProxyNetwork: true }]);
  });

  it("tells of it when it fails as well, and fails with what refused a URL", async () => {
    fake.script.solve = async () => {
      await ask("https://example.com/a");
      throw new GrpcError(grpcCodes.unknown, "403 Forbidden");
    };
    const allow = () => Promise.reject(new Error("the list cannot be read"));
    const { error, network } = await attempt({ proxyNetwork: { allow } });
    expect(error?.message).toBe("the list cannot be read");
    expect(network).toMatchObject([{ requests: [{ url: "https://example.com/a", allowed: false }] }]);
  });

  it("says how many steps asked nothing since they were cached", async () => {
    const time = { seconds: 1n, nanos: 0 };
    fake.script.status = async function* () {
      yield { vertexes: [{ digest: "sha256:1", name: "[1/1] RUN x", cached: true, completed: time }] };
    };
    const { events } = await attempt();
    expect(events.flatMap((event) => (event.type === "message" ? [event.text] : []))).toEqual([
      "1 RUN step came from the cache and asked nothing of the network this time; --no-cache runs them again",
    ]);
  });

  it.each([
    ["does not know of it", () => ({ LLBCaps: [{ ID: "exec.meta.network" }] })],
    ["has turned it off", () => caps(false)],
    ["says nothing of what it knows", () => ({})],
  ])("is refused before anything runs by a daemon that %s", async (_what, ping) => {
    fake.script.ping = ping;
    let isAsked = false;
    fake.script.solve = () => ((isAsked = true), {});
    expect((await attempt()).error).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("needs v0.31 or later") as string,
    });
    expect(isAsked).toBe(false);
  });

  it("fails with the daemon's words where that cannot be asked, and is cancelled while it is", async () => {
    fake.script.ping = () => Promise.reject(new GrpcError(grpcCodes.permissionDenied, "not for you"));
    expect((await attempt()).error?.message).toContain("not for you");
    const abort = new AbortController();
    fake.script.ping = (call) => {
      abort.abort();
      return cancelled(call);
    };
    expect((await attempt({ signal: abort.signal })).error).toMatchObject({ code: "ABORTED" });
  });

  it("on several nodes tells of all of them", async () => {
    await fake[Symbol.asyncDispose]();
    const platforms = ["linux/amd64", "linux/arm64"];
    fake = await FakeResult.open(platforms);
    fake.script.ping = () => caps(true);
    const { result, network, error } = await attempt({ platforms, explain: true });
    expect(error).toBeUndefined();
    expect(network).toHaveLength(2);
    expect(result).toMatchObject({
      network: { requests: [], left: 0, cachedSteps: [] },
      explained: { steps: [] },
    });
  });
});
