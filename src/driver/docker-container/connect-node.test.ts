import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { constants } from "node:http2";
import { type Server, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeEngine } from "../../../test/support/fake-engine.js";
import { onePacketServer } from "../../../test/support/one-packet-server.js";
import type { BuildEvent } from "../../core/index.js";
import { type ContainerInspect, EngineClient } from "../../engine-api/index.js";
import { connectNode } from "./connect-node.js";
import { configDigest, configDigestLabel, socketDirectory, socketName } from "./container-spec.js";
import { parseDriverOptions } from "./options.js";

let dir: string;
let server: Server;
let engine: FakeEngine;
let dials: number;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-connect-"));
  engine = await FakeEngine.start();
  dials = 0;
});

afterEach(async () => {
  vi.useRealTimers();
  server.close();
  await engine[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
});

/** A builder whose socket is served by `onConnection`. */
async function connectTo(serve: Parameters<typeof createServer>[1], sink?: (event: BuildEvent) => void) {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    dials++;
    socket.on("error", () => {});
    serve?.(socket);
  });
  server.listen(join(dir, socketName));
  await once(server, "listening");
  const container = {
    Id: "c".repeat(64),
    Created: new Date().toISOString(),
    Config: { Labels: { [configDigestLabel]: configDigest(new Map()) } },
    Mounts: [{ Type: "bind", Source: dir, Destination: socketDirectory }],
    State: { Running: true, StartedAt: new Date().toISOString() },
  };
  engine.on("GET", "/containers/buildx_buildkit_b0/json", (call) => call.json(container));
  engine.on("GET", /\/logs/, (call) => call.lines([]));
  await using client = EngineClient.open({ host: engine.host });
  const node = {
    engine: client,
    nodeName: "b0",
    options: parseDriverOptions({}),
    flags: [],
    files: new Map<string, Buffer>(),
    connect: "socket" as const,
    env: {},
    socketParent: "/proc/nowhere",
    bootMilliseconds: 7_000,
  };
  return await connectNode(node, { booting: true, sink, found: container as unknown as ContainerInspect });
}

test("an answer that no buildkitd gives ends the attempt at once", async () => {
  const headers = { "content-type": "application/grpc" };
  const connecting = connectTo((socket) => {
    const answering = onePacketServer({ headers, data: [], trailers: constants.NGHTTP2_INTERNAL_ERROR });
    socket.pipe(answering).pipe(socket);
  });
  await expect(connecting).rejects.toThrow("does not answer");
  expect(dials).toBe(1);
});

test("a peer that does not speak HTTP/2 ends the attempt at once", async () => {
  const connecting = connectTo((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  await expect(connecting).rejects.toMatchObject({ code: "DRIVER_BOOT" });
  expect(dials).toBe(1);
});

test("a daemon that says nothing is waited for, and after some seconds the display says so", async () => {
  const events: BuildEvent[] = [];
  const connecting = connectTo(
    (socket) => socket.destroy(),
    (event) => events.push(event),
  );
  await expect(connecting).rejects.toMatchObject({ code: "DRIVER_BOOT" });
  expect(dials).toBeGreaterThan(5);
  expect(events).toMatchObject([{ type: "message", text: /^waiting for builder container .* to answer: / }]);
});
