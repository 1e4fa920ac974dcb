import { createServer } from "node:net";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { type AddressTls, dialDaemonSocket } from "./dial-address.js";
import { dialSocket } from "../docker-container/socket-transport.js";
import { parseDaemonAddress } from "./address.js";

/** Node gives each of its warnings once. */
const warnings: string[] = [];
const onWarning = ({ message }: Error) => void warnings.push(message);
process.on("warning", onWarning);
afterAll(() => void process.off("warning", onWarning));

function dialAddress(address: string, tls?: AddressTls) {
  const parsed = parseDaemonAddress(address);
  if (parsed.scheme !== "unix" && parsed.scheme !== "npipe" && parsed.scheme !== "tcp")
    throw new Error("no socket");
  return dialDaemonSocket(address, parsed, tls && (() => Promise.resolve(tls)));
}

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-dial-"));
});
afterEach(() => rm(directory, { recursive: true }));

test.each(["an address", "a builder's socket"])(
  "%s that does not answer is told with the reason",
  async (what) => {
    const path = join(directory, "nobody");
    const dial = what === "an address" ? dialAddress(`unix://${path}`) : dialSocket(path);
    await expect(dial()).rejects.toMatchObject({
      code: "DRIVER_CONNECT",
      message: expect.stringMatching(/^cannot connect to .*nobody: .*ENOENT/) as string,
    });
    await expect(dial(AbortSignal.abort(new Error("not wanted")))).rejects.toMatchObject({ code: "ABORTED" });
  },
);

test.skipIf(process.platform === "win32")(
  "a pipe of Windows' is refused at once where there are none, and is no file",
  async () => {
    await expect(dialAddress("npipe:////./pipe/buildkitd")()).rejects.toMatchObject({
      code: "DRIVER_CONNECT",
      message:
        "cannot connect to buildkitd at npipe:////./pipe/buildkitd: named pipes are there on Windows only",
    });
  },
);

test("FLT-34 TLS with one who does not speak it is given up by the signal", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const controller = new AbortController();
  const connected = once(server, "connection");
  const dialling = dialAddress(`tcp://127.0.0.1:${port}`, {})(controller.signal);
  await connected;
  controller.abort(new Error("not wanted"));
  await expect(dialling).rejects.toMatchObject({ code: "ABORTED" });
  server.close();
});

test("TLS with an address of numbers is no reason for a warning", async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const refused = dialAddress(`tcp://127.0.0.1:${port}`, {})();
  await expect(refused).rejects.toThrow(/^cannot connect to buildkitd at tcp:/);
  server.close();
  await new Promise(setImmediate);
  expect(warnings).toEqual([]);
});
