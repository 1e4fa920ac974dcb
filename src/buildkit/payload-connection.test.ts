import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type Server, type Socket, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeBuildkitd } from "../../test/support/fake-buildkitd.js";
import { BuildkitClient } from "./client.js";

let daemon: FakeBuildkitd;
let server: Server;
let directory: string;
let sockets: Socket[];
let client: BuildkitClient;

async function dial() {
  const socket = connect(join(directory, "s"));
  await once(socket, "connect");
  return socket;
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-"));
  daemon = new FakeBuildkitd();
  sockets = [];
  server = createServer((socket) => {
    sockets.push(socket);
    daemon.serve(socket);
  });
  server.listen(join(directory, "s"));
  await once(server, "listening");
  client = await BuildkitClient.connect(dial);
});

afterEach(async () => {
  await client.close();
  await daemon[Symbol.asyncDispose]();
  server.close();
  await once(server, "close");
  await rm(directory, { recursive: true });
});

const open = (id: string) => client.openSession({ id, sharedKey: "", methods: [] });

test("sessions share one socket beside that of the calls, and get another when it is lost", async () => {
  expect(sockets).toHaveLength(1);
  const pipes = await Promise.all([open("one"), open("two")]);
  await daemon.session(1);
  expect(sockets).toHaveLength(2);
  const errors = pipes.map((pipe) => once(pipe, "error"));
  sockets[1]?.destroy();
  for (const [error] of await Promise.all(errors)) {
    expect(error).toMatchObject({ code: "BUILDKIT_CONNECTION_LOST" });
  }
  const third = await open("three");
  third.on("error", () => {});
  await daemon.session(2);
  expect(sockets).toHaveLength(3);
});

test("an aborted attempt does not fail the next", async () => {
  const controller = new AbortController();
  const aborted = client.openSession({ id: "one", sharedKey: "", methods: [], signal: controller.signal });
  const other = open("two");
  controller.abort();
  await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
  (await other).on("error", () => {});
  expect((await daemon.session()).id).toBe("two");
});

test("a dial that has one stream to give carries sessions on it as well", async () => {
  const socket = await dial();
  await using single = await BuildkitClient.connect(async () => socket);
  for (const id of ["one", "two"]) {
    const pipe = await single.openSession({ id, sharedKey: "", methods: [] });
    pipe.on("error", () => {});
  }
  await daemon.session(1);
  expect(sockets).toHaveLength(2); // the other is the client's of all tests
});
