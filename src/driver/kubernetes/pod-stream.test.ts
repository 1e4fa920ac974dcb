import { once } from "node:events";
import { expect, test } from "vitest";
import type { WebSocketLike } from "./client-node.js";
import { PodStream } from "./pod-stream.js";

/** A socket that keeps what it was sent, and is closed or broken by the test. */
class FakeSocket implements WebSocketLike {
  readonly sent: string[] = [];
  readonly calls: string[] = [];
  readonly #listeners = new Map<string, (error: Error) => void>();

  readonly protocol: string;

  constructor(protocol = "v5.channel.k8s.io") {
    this.protocol = protocol;
  }

  send(data: Uint8Array, done: (error?: Error | null) => void): void {
    this.sent.push(`${data[0]}:${Buffer.from(data.subarray(1)).toString("latin1")}`);
    setImmediate(done);
  }
  pause = () => void this.calls.push("pause");
  resume = () => void this.calls.push("resume");
  close = () => void this.calls.push("close");
  terminate = () => void this.calls.push("terminate");
  on(event: string, listener: (error: Error) => void): void {
    this.#listeners.set(event, listener);
  }
  tell(event: "close" | "error", error = new Error("reset by peer")): void {
    this.#listeners.get(event)?.(error);
  }
}

function opened(protocol?: string): { stream: PodStream; socket: FakeSocket } {
  const socket = new FakeSocket(protocol);
  const stream = new PodStream("the process");
  stream.attach(socket);
  return { stream, socket };
}

const status = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
const errorOf = async (stream: PodStream) => ((await once(stream, "error")) as [Error])[0];

test("carries bytes both ways, and ends its input alone", async () => {
  const { stream, socket } = opened();
  stream.write("a");
  stream.cork();
  stream.write("b");
  stream.write("c");
  stream.uncork();
  stream.receive(1, Buffer.from("out"));
  stream.receive(1, Buffer.alloc(0));
  expect(await once(stream, "data")).toEqual([Buffer.from("out")]);
  stream.end();
  await once(stream, "finish");
  expect(socket.sent).toEqual(["0:a", "0:bc", "255:\0"]);
  stream.receive(3, status({ status: "Success" }));
  await once(stream, "close");
  // What comes afterwards is nobody's.
  stream.receive(1, Buffer.from("late"));
  socket.tell("close");
});

test("of a protocol that cannot end the input alone is closed", async () => {
  const { stream, socket } = opened("v4.channel.k8s.io");
  stream.end();
  await once(stream, "finish");
  expect(socket.calls).toContain("close");
  stream.destroy();
});

test("that is read slowly stops the socket", async () => {
  const { stream, socket } = opened();
  stream.receive(1, Buffer.alloc(1 << 20));
  expect(socket.calls).toEqual(["pause"]);
  stream.read();
  expect(socket.calls).toContain("resume");
  stream.destroy();
  expect(socket.calls).toContain("terminate");
});

test("that is destroyed before there is a socket lets go of it, and takes nothing more", async () => {
  const stream = new PodStream("the process");
  stream.end();
  stream.destroy();
  const socket = new FakeSocket();
  stream.attach(socket);
  expect(socket.calls).toEqual(["terminate"]);
  await once(stream, "close");
});

test.each<[what: string, end: (stream: PodStream, socket: FakeSocket) => void, message: RegExp]>([
  [
    "breaks",
    (_stream, socket) => socket.tell("error"),
    /^the connection to the process broke: reset by peer$/,
  ],
  ["is closed", (_stream, socket) => socket.tell("close", undefined), /^the connection to the process broke/],
  ["says nothing", (stream) => stream.receive(3, status("no JSON")), /could not be run: no JSON$/],
  [
    "lies about its details",
    (stream) => stream.receive(3, status({ message: 7, details: { causes: "x" } })),
    /could not be run: $/,
  ],
  ["says null", (stream) => stream.receive(3, status("null")), /^the process could not be run: $/],
  [
    "lies about its causes",
    (stream) => stream.receive(3, status({ details: { causes: [null, 7] } })),
    /could not be run/,
  ],
  [
    "ends before it says anything",
    (stream) => {
      stream.receive(2, Buffer.from("x".repeat(20_000)));
      stream.receive(2, Buffer.from(" no socket\n"));
      stream.receive(3, status({ status: "Success" }));
    },
    /^the process ended: x+ no socket$/,
  ],
])("whose process %s fails, and tells how", async (_what, end, message) => {
  const { stream, socket } = opened();
  const failed = errorOf(stream);
  end(stream, socket);
  const error = await failed;
  expect(error).toMatchObject({ code: "DRIVER_CONNECT" });
  expect(error.message).toMatch(message);
  expect(error.message.length).toBeLessThan(17_000);
});
