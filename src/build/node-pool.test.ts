import { once } from "node:events";
import { expect, test } from "vitest";
import { FakeBuildkitd } from "../../test/support/fake-buildkitd.js";
import { control } from "../buildkit/index.js";
import { loadDockerConfig } from "../config/index.js";
import { type BuildEvent, abortError, isSlipwayError, sleep } from "../core/index.js";
import { service } from "../session/index.js";
import { connect } from "./connect.js";
import { files } from "./contexts.js";
import { openNodes } from "./node-pool.js";

const context = { env: {}, dockerConfig: await loadDockerConfig({ DOCKER_CONFIG: "/nowhere" }) };

test("a build that is cancelled while it connects does not end another that waits for the same connection", async () => {
  await using daemon = new FakeBuildkitd({ services: [service(control.Control, { info: () => ({}) })] });
  let attempts = 0;
  const dial = async (signal?: AbortSignal) => {
    if (++attempts > 1) return daemon.dial();
    if (signal) await once(signal, "abort");
    throw abortError(signal as AbortSignal);
  };
  const pool = await openNodes({ dial }, context);
  const [first, second, third] = [new AbortController(), new AbortController(), new AbortController()];
  const connecting = [first, second, third].map(({ signal }) => pool.connect(0, { signal }));
  const settled = Promise.allSettled(connecting);
  // One that only waits is cancelled at once, too.
  third.abort(new Error("not wanted"));
  await expect(connecting[2]).rejects.toMatchObject({ code: "ABORTED" });
  first.abort(new Error("not wanted"));
  expect((await settled).map(({ status }) => status)).toEqual(["rejected", "fulfilled", "rejected"]);
  expect(attempts).toBe(2);
  await pool.close();
});

test("a connection that is lost is made anew for the next build, which is told", async () => {
  const services = [service(control.Control, { info: () => ({}) })];
  const before = new FakeBuildkitd({ services });
  await using after = new FakeBuildkitd({ services });
  let daemon = before;
  const pool = await openNodes({ dial: () => daemon.dial() }, context);
  const first = await pool.connect(0, {});
  expect(await pool.connect(0, {})).toBe(first);
  daemon = after;
  await before[Symbol.asyncDispose]();
  await first.closed;
  const told: string[] = [];
  const onEvent = (event: BuildEvent) => void (event.type === "message" && told.push(event.text));
  const second = await pool.connect(0, { onEvent });
  expect(second).not.toBe(first);
  await second.control.info({});
  expect(told).toEqual([expect.stringContaining("was lost, connecting again")]);
  await pool.connect(0, { onEvent });
  expect(told).toHaveLength(1);
  await pool.close();
});

test("a connection that is closed is not connected again, nor asked for ever", async () => {
  await using daemon = new FakeBuildkitd({
    services: [service(control.Control, { info: () => ({}), solve: () => new Promise(() => {}) })],
  });
  const connection = await connect({ dial: () => daemon.dial() });
  const build = () =>
    connection.build({ context: files({ Dockerfile: "FROM scratch\n" }), outputs: [{ type: "cacheonly" }] });
  const running = build().catch((error: unknown) => error);
  await sleep(100);
  await Promise.all([connection.close(), connection.close()]);
  expect(isSlipwayError(await running)).toBe(true);
  await expect(build()).rejects.toThrow(/^the connection is closed/);
});
