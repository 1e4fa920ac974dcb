import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Duplex } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BuildkitClient } from "../../src/buildkit/index.js";
import { build, dialBuilder, files } from "../../src/index.js";
import { bundle } from "../support/slipway.js";
import { Workplace } from "../support/workplace.js";

/** A builder's daemon, spoken to through the command's stdin and stdout. */
let place: Workplace;
let builder: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  place = await Workplace.open("dial-stdio");
  builder = await place.builder("dialled", "--driver-opt", "network=host");
});

afterAll(async () => {
  for (const child of children) child.kill();
  await place?.close();
});

function command(env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [bundle, "dial-stdio", "--builder", builder], {
    env: { ...process.env, ...place.env, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.push(child);
  return child;
}

test.each(["socket", "exec"])("a client speaks with the daemon and builds, by %s", async (way) => {
  const dial = async () => {
    const { stdin, stdout } = command({ SLIPWAY_CONNECT: way });
    return Duplex.from({ readable: stdout, writable: stdin });
  };
  await using client = await BuildkitClient.connect(dial);
  expect((await client.info()).version).toMatch(/^v0\./);
  expect(await client.workers()).toHaveLength(1);
  const context = files({ Dockerfile: "FROM busybox\nCOPY big /\n", big: Buffer.alloc(3 << 20, 7) });
  const { imageId } = await build({ dial, context, outputs: [{ type: "image" }] });
  expect(imageId).toMatch(/^sha256:/);
});

test("the end of stdin ends it, with the daemon's last words on stdout", async () => {
  const { exitCode, stdout, stderr } = await place.run(
    ["dial-stdio", "--builder", builder, "--progress", "plain", "--platform", "linux/amd64"],
    { input: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" },
  );
  expect(exitCode, stderr).toBe(0);
  // A SETTINGS frame on stream 0.
  expect(Buffer.from(stdout, "latin1").subarray(3, 9)).toEqual(Buffer.of(4, 0, 0, 0, 0, 0));
  expect(stderr).toMatch(new RegExp(`^#0 builder: ${builder}\n`, "m"));
  expect(stderr).toMatch(/^#1 Proxying to builder$/m);
  expect(stderr).toMatch(/^#1 Dialing builder .*done$/m);
});

test("a client that goes away takes the command with it", async () => {
  const child = command();
  await once(child.stdout, "data", { signal: AbortSignal.timeout(60_000) });
  child.stdin.destroy();
  child.stdout.destroy();
  await once(child, "exit");
  expect(child.signalCode).toBeNull();
});

test("the library gives the same connection", async () => {
  await using dialled = await dialBuilder({ builder, env: place.env });
  await using client = await BuildkitClient.connect(async () => dialled.stream);
  expect((await client.info()).version).toMatch(/^v0\./);
});

test.each([
  [["--platform", "a/b/c/d/e"], 'invalid platform "a/b/c/d/e"'],
  [["--progress", "nosuch"], "invalid progress mode nosuch"],
  [["--builder", "nobody"], 'no builder "nobody" found'],
])("%j is refused", async (flags, message) => {
  const { exitCode, stderr } = await place.run(["dial-stdio", ...flags]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(message);
});
