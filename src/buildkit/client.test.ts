import { once } from "node:events";
import http2 from "node:http2";
import { type AddressInfo, connect } from "node:net";
import { expect, test, vi } from "vitest";
import { plainDaemon } from "../../test/support/plain-daemon.js";
import { AbortedError, DeadlineError } from "../core/index.js";
import { GrpcError, grpcCodes, type ServerCall } from "../http2/index.js";
import { service } from "../session/index.js";
import { BuildkitClient } from "./client.js";
import { Control } from "./gen/moby/buildkit/v1/control_pb.js";
import { LLBBridge } from "./gen/moby/buildkit/v1/frontend/gateway_pb.js";

/** Waits until the daemon's side of a call is cancelled. */
async function cancelled(call: ServerCall) {
  if (!call.signal.aborted) await once(call.signal, "abort");
}

/** Never answers; resolves `called` when it is asked. */
function hanging() {
  let onCall: (call: ServerCall) => void;
  const called = new Promise<ServerCall>((resolve) => (onCall = resolve));
  const solve = async (_request: unknown, call: ServerCall) => {
    onCall(call);
    await cancelled(call);
    return {};
  };
  return { called, attachable: service(Control, { solve }) };
}

test("info gives the version; a daemon without Info has none", async () => {
  await using daemon = plainDaemon(
    service(Control, { info: () => ({ buildkitVersion: { version: "v0.32.2", package: "p" } }) }),
  );
  await using client = await BuildkitClient.connect(daemon.dial);
  expect(await client.info()).toEqual({
    version: "v0.32.2",
    package: "p",
    revision: "",
    dockerfileVersion: "",
  });
  await using old = plainDaemon();
  await using oldClient = await BuildkitClient.connect(old.dial);
  expect((await oldClient.info()).version).toBeUndefined();
});

test("gateway calls name their build", async () => {
  await using daemon = plainDaemon(service(LLBBridge, { ping: () => ({}) }));
  await using client = await BuildkitClient.connect(daemon.dial);
  await client.gateway("build-1").ping({}, { headers: { "x-more": "1" } });
  expect(daemon.calls[0]?.headerValues("buildkit-controlapi-buildid")).toEqual(["build-1"]);
  expect(daemon.calls[0]?.header("x-more")).toBe("1");
});

test("leaving a stream early resets it at the daemon", async () => {
  await using daemon = plainDaemon(
    service(Control, {
      async *status(_request, call) {
        for (;;) {
          yield { vertexes: [{ name: "one" }] };
          await cancelled(call);
          return;
        }
      },
    }),
  );
  await using client = await BuildkitClient.connect(daemon.dial);
  for await (const response of client.control.status({ Ref: "r" })) {
    expect(response.vertexes[0]?.name).toBe("one");
    break;
  }
  await cancelled(daemon.calls[0] as ServerCall);
});

test("a stream that is read to its end ends, and shows its headers", async () => {
  await using daemon = plainDaemon(
    service(Control, {
      async *status() {
        yield { vertexes: [] };
        yield { vertexes: [] };
      },
    }),
  );
  await using client = await BuildkitClient.connect(daemon.dial);
  let count = 0;
  let type: string | null = null;
  const onHeader = (headers: Headers) => (type = headers.get("content-type"));
  for await (const _ of client.control.status({ Ref: "r" }, { onHeader })) count++;
  expect(count).toBe(2);
  expect(type).toMatch(/^application\/grpc/);
});

test("an error in a stream comes after what was sent before it", async () => {
  await using daemon = plainDaemon(
    service(Control, {
      async *status() {
        yield { vertexes: [] };
        throw new GrpcError(grpcCodes.notFound, "no such job r");
      },
    }),
  );
  await using client = await BuildkitClient.connect(daemon.dial);
  let count = 0;
  const read = async () => {
    for await (const _ of client.control.status({ Ref: "r" })) count++;
  };
  await expect(read()).rejects.toMatchObject({ grpcCode: 5, message: "no such job r" });
  expect(count).toBe(1);
});

test("aborting rejects with the caller's reason and reaches the daemon", async () => {
  const { called, attachable } = hanging();
  await using daemon = plainDaemon(attachable);
  await using client = await BuildkitClient.connect(daemon.dial);
  const controller = new AbortController();
  const solve = client.control.solve({}, { signal: controller.signal });
  solve.catch(() => {});
  const call = await called;
  controller.abort("enough");
  await expect(solve).rejects.toEqual(new AbortedError("enough"));
  await cancelled(call);
  const deadline = new DeadlineError("the build", 5);
  const late = client.control.solve({}, { signal: AbortSignal.abort(deadline) });
  await expect(late).rejects.toBe(deadline);
});

test("FLT-3 a lost connection is told apart from an abort, in calls and afterwards", async () => {
  const { called, attachable } = hanging();
  await using daemon = plainDaemon(attachable);
  await using client = await BuildkitClient.connect(daemon.dial);
  const solve = client.control.solve({});
  solve.catch(() => {});
  await called;
  daemon.lose();
  await expect(solve).rejects.toMatchObject({ code: "BUILDKIT_CONNECTION_LOST", grpcCode: 14 });
  await expect(client.closed).resolves.toMatchObject({ code: "BUILDKIT_CONNECTION_LOST" });
  await expect(client.info()).rejects.toMatchObject({ code: "BUILDKIT_CONNECTION_LOST" });
  const status = client.control.status({ Ref: "r" })[Symbol.asyncIterator]().next();
  await expect(status).rejects.toMatchObject({ code: "BUILDKIT_CONNECTION_LOST" });
  const session = client.openSession({ id: "s", sharedKey: "", methods: [] });
  await expect(session).rejects.toMatchObject({ code: "BUILDKIT_CONNECTION_LOST" });
});

test("FLT-3 a connection that takes no more calls counts as lost, though those under way may yet end", async () => {
  const server = http2.createServer();
  server.on("stream", (stream) => stream.respond({ ":status": 200, "content-type": "application/grpc" }));
  server.on("session", (session) => session.goaway());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  try {
    const socket = connect(port, "127.0.0.1");
    await using client = await BuildkitClient.connect(async () => socket);
    const lost = {
      code: "BUILDKIT_CONNECTION_LOST",
      cause: expect.objectContaining({ code: "HTTP2_GOAWAY" }) as Error,
    };
    // What is under way keeps the connection from its end.
    const status = client.control.status({ Ref: "r" })[Symbol.asyncIterator]().next();
    status.catch(() => {});
    await vi.waitFor(() =>
      expect(() => client.openBlob("sha256:1").destroy()).toThrow(expect.objectContaining(lost)),
    );
    await expect(client.info()).rejects.toMatchObject(lost);
    await expect(client.openSession({ id: "s", sharedKey: "", methods: [] })).rejects.toMatchObject(lost);
  } finally {
    server.close();
  }
});

test.each([
  ["a line break", "a\nb"],
  ["no ASCII", "é"],
  ["65 KiB", "x".repeat(65 * 1024)],
])("a value that metadata cannot carry is refused: %s", async (_, value) => {
  const { attachable } = hanging();
  await using daemon = plainDaemon(attachable);
  await using client = await BuildkitClient.connect(daemon.dial);
  const refused = {
    code: "INVALID_ARGUMENT",
    message: expect.stringMatching(/^cannot be sent as metadata/) as string,
  };
  expect(() => client.gateway(value)).toThrow(expect.objectContaining(refused));
  expect(() => client.gateway("r", { traceparent: value })).toThrow(expect.objectContaining(refused));
  expect(() => client.openBlob(value)).toThrow(expect.objectContaining(refused));
  const open = (options: object) => client.openSession({ id: "s", sharedKey: "", methods: [], ...options });
  await expect(open({ id: value })).rejects.toMatchObject(refused);
  await expect(open({ methods: [value] })).rejects.toMatchObject(refused);
  // A key of any characters is escaped; one that is too long even so is told.
  await expect(open({ sharedKey: "é".repeat(30 * 1024) })).rejects.toMatchObject(refused);
});

test("close ends the calls under way, twice does nothing", async () => {
  const { called, attachable } = hanging();
  await using daemon = plainDaemon(attachable);
  const client = await BuildkitClient.connect(daemon.dial);
  const solve = client.control.solve({});
  solve.catch(() => {});
  await called;
  await client.close();
  await client.close();
  await expect(solve).rejects.toThrow("the connection to buildkitd was closed");
  await expect(client.closed).resolves.toBeUndefined();
});

test("SEC-24 a message above 16 MiB is refused by its prefix", async () => {
  await using daemon = plainDaemon({
    methods: ["/moby.buildkit.v1.Control/Info"],
    async handle(call) {
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(0xffffffff, 1);
      call.write(prefix);
      await cancelled(call);
    },
  });
  await using client = await BuildkitClient.connect(daemon.dial);
  await expect(client.info()).rejects.toMatchObject({ grpcCode: grpcCodes.resourceExhausted });
});
