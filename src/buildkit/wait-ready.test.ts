import { expect, test } from "vitest";
import { plainDaemon } from "../../test/support/plain-daemon.js";
import { SlipwayError } from "../core/index.js";
import { service } from "../session/index.js";
import { Control } from "./gen/moby/buildkit/v1/control_pb.js";
import { waitReady } from "./wait-ready.js";

test("goes on until the daemon answers", async () => {
  await using daemon = plainDaemon(
    service(Control, { info: () => ({ buildkitVersion: { version: "v1" } }) }),
  );
  const errors: unknown[] = [];
  let dials = 0;
  await using client = await waitReady(
    async (signal) => {
      if (++dials < 3) throw new SlipwayError("HTTP2_LOST", `refused ${dials}`);
      return daemon.dial(signal);
    },
    { interval: 1, onRetry: (error) => void errors.push(error) },
  );
  expect((await client.info()).version).toBe("v1");
  expect(errors.map(String)).toEqual(["SlipwayError: refused 1", "SlipwayError: refused 2"]);
});

test("a daemon without Info is alive", async () => {
  await using daemon = plainDaemon();
  await using client = await waitReady(daemon.dial);
  expect((await client.info()).version).toBeUndefined();
});

test("gives up when onRetry throws, in time, and when aborted", async () => {
  const last = new SlipwayError("HTTP2_LOST", "refused");
  const dial = async () => {
    throw last;
  };
  const stopped = new SlipwayError("DRIVER_NOT_RUNNING", "the container stopped");
  const onRetry = () => {
    throw stopped;
  };
  await expect(waitReady(dial, { onRetry })).rejects.toBe(stopped);
  await expect(waitReady(dial, { interval: 1, milliseconds: 20 })).rejects.toMatchObject({
    code: "DEADLINE",
    cause: last,
  });
  const controller = new AbortController();
  const aborted = waitReady(dial, { signal: controller.signal, onRetry: () => controller.abort("enough") });
  await expect(aborted).rejects.toMatchObject({ code: "ABORTED", cause: "enough" });
});
