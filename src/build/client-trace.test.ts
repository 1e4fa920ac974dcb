import { expect, test, vi } from "vitest";
import type { BuildkitClient, ClientSpan } from "../buildkit/index.js";
import type { Environment } from "../config/index.js";
import { Redactor } from "../core/index.js";
import type { Attachable } from "../session/index.js";
import { ClientTrace } from "./client-trace.js";

const traceId = "1f".repeat(16);
const caller = { TRACEPARENT: `00-${traceId}-${"2e".repeat(8)}-01`, TRACESTATE: "a=b" };

function traced(env: Environment = caller) {
  const redactor = new Redactor();
  const sendSpans = vi.fn(async (_spans: readonly ClientSpan[]) => {});
  return {
    trace: new ClientTrace(env, redactor),
    redactor,
    sendSpans,
    client: { sendSpans } as unknown as BuildkitClient,
  };
}

/** What a daemon calls with these headers. */
const call = (headers: Record<string, string> = {}) =>
  ({ path: "/a.B/C", header: (name: string) => headers[name] }) as unknown as Parameters<
    Attachable["handle"]
  >[0];

test("spans stand below each other, and below the caller's", async () => {
  const { trace, client, sendSpans } = traced();
  const build = trace.begin("build", "internal", { attributes: { builder: "b" } });
  const solve = trace.begin("Solve", "client", { below: build });
  expect(build.headers).toEqual({
    traceparent: expect.stringMatching(`^00-${traceId}-[0-9a-f]{16}-01$`) as string,
    tracestate: "a=b",
  });
  solve.end();
  solve.end(new Error("late"));
  build.end();
  await trace.send(client);
  const [inner, outer] = sendSpans.mock.calls[0]?.[0] ?? [];
  expect(outer).toMatchObject({
    name: "build",
    kind: "internal",
    traceId,
    parentSpanId: "2e".repeat(8),
    attributes: { builder: "b" },
  });
  expect(inner).toMatchObject({
    name: "Solve",
    kind: "client",
    traceId,
    parentSpanId: outer?.spanId,
    error: undefined,
  });
  expect(build.headers["traceparent"]).toContain(outer?.spanId);
  const { started, ended } = outer as ClientSpan;
  expect(ended).toBeGreaterThanOrEqual(started);
  expect(Math.abs(Number(ended / 1_000_000n) - Date.now())).toBeLessThan(60_000);
});

test("without a caller's trace one begins; the root has no parent", async () => {
  const { trace, client, sendSpans } = traced({});
  trace.begin("build", "internal").end();
  await trace.send(client);
  expect(sendSpans.mock.calls[0]?.[0]).toMatchObject([
    { traceId: expect.stringMatching(/^[0-9a-f]{32}$/) as string, parentSpanId: undefined },
  ]);
});

test("a trace that is not sampled is carried on, and gets no spans", async () => {
  const { trace, client, sendSpans } = traced({ TRACEPARENT: caller.TRACEPARENT.replace(/01$/, "00") });
  const build = trace.begin("build", "internal");
  expect(build.headers["traceparent"]).toMatch(/-00$/);
  build.end();
  await trace.send(client);
  expect(sendSpans).not.toHaveBeenCalled();
});

test("errors stand there without secrets, and not at length", async () => {
  const { trace, redactor, client, sendSpans } = traced();
  redactor.add("hunter22");
  trace.begin("a", "client").end(new Error("no hunter22 here"));
  trace.begin("b", "client").end(new Error("x".repeat(1e6)));
  // A secret that lies across the cut.
  trace.begin("c", "client").end(new Error(`${"x".repeat(996)}hunter22`));
  await trace.send(client);
  const [spans = []] = sendSpans.mock.calls[0] ?? [];
  expect(spans[2]?.error).toBe(`${"x".repeat(996)}****`);
  expect(spans[0]?.error).toBe("no ***** here");
  expect(spans[1]?.error).toHaveLength(1_000);
});

test("calls of the daemon's in the trace are spans, others are not, and there are not more than 1,000", async () => {
  const { trace, client, sendSpans } = traced();
  const failure = new Error("failed");
  const handle = vi.fn<Attachable["handle"]>(async () => {});
  const [watched] = trace.watched([{ methods: ["/a.B/C"], handle }]) as [Attachable];
  expect(watched.methods).toEqual(["/a.B/C"]);
  await watched.handle(call());
  await watched.handle(call({ traceparent: `00-${"3d".repeat(16)}-${"4c".repeat(8)}-01` }));
  handle.mockRejectedValueOnce(failure);
  const ours = call({ traceparent: `00-${traceId}-${"4c".repeat(8)}-01` });
  await expect(watched.handle(ours)).rejects.toBe(failure);
  expect(handle).toHaveBeenLastCalledWith(ours);
  for (let count = 0; count < 1_500; count++) await watched.handle(ours);
  await trace.send(client);
  const [spans = []] = sendSpans.mock.calls[0] ?? [];
  expect(spans[0]).toMatchObject({
    name: "a.B/C",
    kind: "server",
    parentSpanId: "4c".repeat(8),
    error: "failed",
  });
  expect(spans).toHaveLength(1_000);
});

test("a daemon that takes no spans, or does not answer, is no error", async () => {
  const { trace, client, sendSpans } = traced();
  sendSpans.mockRejectedValue(new Error("unimplemented"));
  trace.begin("a", "client").end();
  await expect(trace.send(client)).resolves.toBeUndefined();
  // Nothing is sent twice: of no spans, it is only loaded what sends them.
  await trace.send(client);
  expect(sendSpans).toHaveBeenLastCalledWith([], expect.anything());
});
