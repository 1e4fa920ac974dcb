import { once } from "node:events";
import { type Server, type Socket, connect, createServer } from "node:net";
import tls from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connectSocket } from "./connect-socket.js";

let server: Server;
let port: number;
const accepted: Socket[] = [];

beforeEach(async () => {
  server = createServer((socket) => accepted.push(socket.on("error", () => {}))).listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as { port: number });
});
afterEach(async () => {
  for (const socket of accepted.splice(0)) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

const options = { milliseconds: 30_000, what: "connecting to it", signal: undefined };
const open = () => connect(port, "127.0.0.1");
const openTls = () => tls.connect({ port, host: "127.0.0.1" });

test("gives a socket that is connected, with no listener of its own left on it", async () => {
  const socket = await connectSocket(open, options);
  expect(socket.readyState).toBe("open");
  for (const event of ["connect", "close"]) expect(socket.listenerCount(event)).toBe(0);
  // The one that holds it.
  expect(socket.listenerCount("error")).toBe(1);
  socket.destroy();
});

test("fails as the socket does", async () => {
  const nobody = () => connect({ path: "/nowhere/at/all" });
  await expect(connectSocket(nobody, options)).rejects.toMatchObject({ code: "ENOENT" });
});

test("gives up at its deadline, and destroys the socket", async () => {
  let socket: Socket | undefined;
  const late = connectSocket(() => (socket = openTls()), {
    ...options,
    ready: "secureConnect",
    milliseconds: 20,
  });
  await expect(late).rejects.toMatchObject({
    code: "DEADLINE",
    message: expect.stringMatching(/^connecting to it did not finish/) as string,
  });
  expect(socket?.destroyed).toBe(true);
});

test("is ended by the signal, at once where that is aborted already", async () => {
  const controller = new AbortController();
  let socket: Socket | undefined;
  const connected = once(server, "connection");
  const waiting = connectSocket(() => (socket = openTls()), {
    ...options,
    ready: "secureConnect",
    signal: controller.signal,
  });
  const refused = expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
  await connected;
  controller.abort(new Error("not wanted"));
  await refused;
  expect(socket?.destroyed).toBe(true);
  const never = () => {
    throw new Error("opened all the same");
  };
  await expect(connectSocket(never, { ...options, signal: controller.signal })).rejects.toMatchObject({
    code: "ABORTED",
  });
});
