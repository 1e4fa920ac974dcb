import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, expect, test, vi } from "vitest";
import { keepReading } from "./keep-reading.js";

let server: Server;
afterEach(() => void server.close());

/** A connection to a server that does with it as told. */
async function connected(serve: (socket: Socket) => void): Promise<Socket> {
  server = createServer(serve).listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

test("Node sends by a socket's own _write, and by _writev what was corked", async () => {
  const socket = await connected((peer) => peer.resume());
  expect(typeof socket._writev).toBe("function");
  const write = vi.spyOn(socket, "_write");
  const writev = vi.spyOn(socket as Required<Socket>, "_writev");
  keepReading(socket);
  await new Promise((sent) => socket.write("one", sent));
  expect([write.mock.calls.length, writev.mock.calls.length]).toEqual([1, 0]);
  socket.cork();
  socket.write("two");
  const sent = new Promise((resolve) => socket.write("three", resolve));
  socket.uncork();
  await sent;
  expect([write.mock.calls.length, writev.mock.calls.length]).toEqual([1, 1]);
  socket.destroy();
});

test.each(["EPIPE", "ECONNRESET", "ECONNABORTED"])(
  "a write that ends in %s leaves what has arrived to be read, and the next write goes on",
  async (code) => {
    const socket = await connected((peer) => peer.end("the reason"));
    socket._write = (_chunk, _encoding, done) => done(Object.assign(new Error("broken"), { code }));
    socket._writev = (_chunks, done) => done(Object.assign(new Error("broken"), { code }));
    keepReading(socket);
    await new Promise<void>((resolve, reject) =>
      socket.write("x", (error) => (error ? reject(error) : resolve())),
    );
    socket.cork();
    socket.write("y");
    socket.write("z");
    socket.uncork();
    expect(await text(socket)).toBe("the reason");
  },
);

test("other errors of writing end the socket", async () => {
  const socket = await connected((peer) => peer.resume());
  const broken = Object.assign(new Error("no space"), { code: "ENOBUFS" });
  socket._write = (_chunk, _encoding, done) => done(broken);
  keepReading(socket);
  socket.write("x");
  expect(await once(socket, "error")).toEqual([broken]);
});
