import { EventEmitter, once } from "node:events";
import { afterEach, expect, test, vi } from "vitest";
import { FakeBuildkitd } from "../../test/support/fake-buildkitd.js";
import { BuildkitClient, control, gateway } from "../buildkit/index.js";
import { GrpcError, type ServerCall, grpcCodes } from "../http2/index.js";
import { Session, service } from "../session/index.js";
import type { SolveSpec } from "./solve-request.js";
import { solve } from "./solve.js";

afterEach(() => void vi.useRealTimers());

const spec: SolveSpec = {
  ref: "ref",
  frontend: "dockerfile.v0",
  attrs: {},
  exports: [],
  caches: { imports: [], exports: [], attrs: {}, warnings: [] },
  entitlements: [],
  sourcePolicy: undefined,
  policySession: false,
  inputs: { dockerfilePath: "Dockerfile" },
};

interface Script {
  solve(call: ServerCall): Promise<object>;
  status(call: ServerCall): AsyncIterable<object>;
  /** By default it answers at once. */
  info?(): Promise<object>;
  /** The frontend's answer; by default it comes at once. */
  ask?(call: ServerCall): Promise<object>;
}

/** Runs a build at a daemon that answers as scripted. */
async function run(script: Script) {
  await using daemon = new FakeBuildkitd({
    services: [
      service(control.Control, {
        solve: (_request, call) => script.solve(call),
        status: (_request, call) => script.status(call),
        info: () => script.info?.() ?? {},
      }),
      service(gateway.LLBBridge, {
        solve: (_request, call) => script.ask?.(call) ?? {},
        return: () => ({}),
      }),
    ],
  });
  await using client = await BuildkitClient.connect(daemon.dial);
  // As whoever connects does; the answer is remembered.
  await client.info();
  const names: string[] = [];
  await using session = await Session.open(client, { attachables: [], sharedKey: "key" });
  const outcome = await solve({
    client,
    plan: spec,
    session,
    sink: (event) => {
      if (event.type === "status") names.push(...event.vertexes.map(({ name }) => name));
    },
  }).then(
    ({ response }) => Object.fromEntries(response),
    (error: Error) => error,
  );
  return { outcome, names };
}

const vertex = (name: string) => ({ vertexes: [{ digest: `sha256:${name}`, name }] });
const ended = (call: ServerCall) => (call.signal.aborted ? undefined : once(call.signal, "abort"));

test("FLT-22 a status stream that ends early is no trouble", async () => {
  const { outcome, names } = await run({
    solve: async () => ({ ExporterResponse: { a: "b" } }),
    async *status() {
      yield vertex("one");
    },
  });
  expect(outcome).toEqual({ a: "b" });
  expect(names).toEqual(["one"]);
});

test("FLT-22 a status stream that never ends is given up when it is silent for 5 s", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const running = run({
    solve: async () => ({ ExporterResponse: { a: "b" } }),
    async *status(call) {
      yield vertex("one");
      await ended(call);
    },
  });
  let isOver = false;
  void running.then(() => (isOver = true));
  await vi.waitUntil(
    async () => {
      await vi.advanceTimersByTimeAsync(100);
      return isOver;
    },
    { timeout: 20_000, interval: 1 },
  );
  const { outcome, names } = await running;
  expect(outcome).toEqual({ a: "b" });
  expect(names).toEqual(["one"]);
});

test("FLT-22 the solve's error wins over that of the status stream", async () => {
  const { outcome } = await run({
    solve: async () => {
      throw new GrpcError(grpcCodes.unknown, "the step has failed");
    },
    // oxlint-disable-next-line require-yield
    async *status() {
      throw new GrpcError(grpcCodes.notFound, "no such job");
    },
  });
  expect(outcome).toMatchObject({ message: expect.stringContaining("the step has failed") as string });
});

test("FLT-22 a refused build does not wait for a status stream that has nothing to say", async () => {
  // No timer runs out here.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { outcome } = await run({
    solve: async () => {
      throw new GrpcError(grpcCodes.invalidArgument, "refused");
    },
    // oxlint-disable-next-line require-yield
    async *status(call) {
      await ended(call);
    },
  });
  expect(outcome).toMatchObject({ message: expect.stringContaining("refused") as string });
});

test("FLT-22 what a refused build's status stream says before the daemon answers another call is heard", async () => {
  const happened = new EventEmitter();
  const asked = once(happened, "asked");
  const told = once(happened, "told");
  let infos = 0;
  const { names } = await run({
    solve: async () => {
      throw new GrpcError(grpcCodes.invalidArgument, "refused");
    },
    async ask(call) {
      await ended(call);
      return {};
    },
    async info() {
      infos += 1;
      if (infos > 1) {
        happened.emit("asked");
        await told;
      }
      return {};
    },
    async *status() {
      await asked;
      yield vertex("one");
      happened.emit("told");
    },
  });
  expect(names).toEqual(["one"]);
});

test.each(["while it runs", "when it is done"])(
  "a build %s whose display takes nothing ends within 5 s of its cancel",
  async (when) => {
    await using daemon = new FakeBuildkitd({
      services: [
        service(control.Control, {
          solve: async (_request, call) => {
            if (when === "while it runs") await ended(call);
            return {};
          },
          async *status() {
            yield vertex("one");
          },
        }),
        service(gateway.LLBBridge, { solve: () => ({}), return: () => ({}) }),
      ],
    });
    await using client = await BuildkitClient.connect(daemon.dial);
    const cancel = new AbortController();
    let blocked = () => {};
    const isBlocked = new Promise<void>((resolve) => (blocked = resolve));
    const sink = Object.assign(() => {}, {
      ready() {
        blocked();
        return new Promise<void>(() => {});
      },
    });
    const { signal } = cancel;
    await using session = await Session.open(client, { attachables: [], sharedKey: "key", signal });
    const building = solve({ client, plan: spec, session, sink, signal });
    const settled = building.then(
      () => "done",
      ({ code }: { code: string }) => code,
    );
    await isBlocked;
    await new Promise((resolve) => setTimeout(resolve, 50));
    const began = performance.now();
    cancel.abort(new Error("enough"));
    expect(["done", "ABORTED"]).toContain(await settled);
    expect(performance.now() - began).toBeLessThan(5_000);
  },
);
