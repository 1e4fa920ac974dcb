import { once } from "node:events";
import { afterEach, expect, it } from "vitest";
import { FakeBuilder } from "../../test/support/fake-builder.js";
import { control, gateway } from "../buildkit/index.js";
import type { BuildEvent } from "../core/index.js";
import { GrpcError, type ServerCall, grpcCodes } from "../http2/index.js";
import { service } from "../session/index.js";
import type { BuildOptions } from "./build-options.js";
import { build } from "./build.js";
import { files } from "./contexts.js";

let fake: FakeBuilder;
afterEach(() => fake[Symbol.asyncDispose]());

const amd64 = { OS: "linux", Architecture: "amd64" };

/** A builder of two nodes, of which the second can build for the first one. `solve` gets the number of the call. */
async function twoNodes(
  solve: (number: number, call: ServerCall) => object | Promise<object>,
  workers: () => object = () => ({ record: [{ ID: "w", platforms: [amd64] }] }),
): Promise<void> {
  let solves = 0;
  const services = [
    service(control.Control, {
      info: () => ({ buildkitVersion: { version: "v0.34.2" } }),
      listWorkers: () => workers(),
      solve: (_request, call) => solve(++solves, call),
      async *status() {},
    }),
    service(gateway.LLBBridge, { solve: () => ({}), return: () => ({}) }),
  ];
  fake = await FakeBuilder.open(services, ["linux/amd64", "linux/arm64"]);
}

/** The first node's container ends, and its connections with it. */
async function loseFirst(call: ServerCall): Promise<never> {
  Object.assign(fake.state, { Status: "exited", Running: false });
  void fake.daemon[Symbol.asyncDispose]();
  if (!call.signal.aborted) await once(call.signal, "abort");
  throw new GrpcError(grpcCodes.cancelled, "the call was cancelled");
}

async function attempt(options: Partial<BuildOptions> = {}) {
  const told: string[] = [];
  const outcome: unknown = await build({
    builder: "b",
    env: fake.env,
    context: files({ Dockerfile: "FROM scratch\n" }),
    onEvent: (event: BuildEvent) => void (event.type === "message" && told.push(event.text)),
    ...options,
  }).catch((error: unknown) => error);
  return { outcome, told };
}

it("the part of a lost node is built on the other, and what was said of the build is not said again", async () => {
  await twoNodes((number, call) => (number === 1 ? loseFirst(call) : { ExporterResponse: { made: "2" } }));
  const { outcome, told } = await attempt({ platforms: ["linux/amd64"] });
  expect(outcome).toMatchObject({ metadata: { made: "2" } });
  expect(told.filter((text) => text.includes("No output specified"))).toHaveLength(1);
  expect(told.filter((text) => /node b0 was lost .* built again on b1/s.test(text))).toHaveLength(1);
});

it("an engine to load into that is down is no lost node", async () => {
  let solves = 0;
  await twoNodes(() => ({ ExporterResponse: { solve: `${++solves}` } }));
  fake.engine.on("GET", "/_ping", ({ response }) => void response.setHeader("Api-Version", "1.45").end("OK"));
  fake.engine.on("GET", "/info", ({ response }) => void response.destroy());
  const { outcome, told } = await attempt({ platforms: ["linux/amd64"], load: true, tags: ["a"] });
  expect(outcome).toMatchObject({ code: "ENGINE_CONNECTION_LOST" });
  expect(told.filter((text) => text.includes("was lost"))).toEqual([]);
  expect(solves).toBe(0);
});

it("nodes that do not say what they build for are not taken for each other", async () => {
  await twoNodes(
    (_number, call) => loseFirst(call),
    () => ({ record: [] }),
  );
  const { outcome, told } = await attempt({ outputs: [{ type: "cacheonly" }] });
  expect(outcome).toMatchObject({ code: "BUILDER_LOST" });
  expect(told).toEqual([]);
});

it("when the other cannot be asked either, the first loss is told", async () => {
  await twoNodes(
    (_number, call) => loseFirst(call),
    () => {
      throw new GrpcError(grpcCodes.unavailable, "not now");
    },
  );
  const { outcome } = await attempt({ platforms: ["linux/amd64"], outputs: [{ type: "cacheonly" }] });
  expect(outcome).toMatchObject({ code: "BUILDER_LOST" });
});
