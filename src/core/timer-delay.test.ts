import { expect, test } from "vitest";
import { sleep, withDeadline } from "./signals.js";
import { timerDelay } from "./timer-delay.js";

test("what is longer than a timer can be does not pass at once", async () => {
  expect([1.5, 2 ** 31, Infinity].map(timerDelay)).toEqual([1.5, 2 ** 31 - 1, 2 ** 31 - 1]);
  const work = () => new Promise((resolve) => setTimeout(resolve, 10, "done"));
  for (const long of [2 ** 31, 1000 * 3_600_000, Infinity])
    expect(await withDeadline(undefined, long, "work", work)).toBe("done");
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("awake")), 10);
  await expect(sleep(2 ** 40, stop.signal)).rejects.toMatchObject({ code: "ABORTED" });
});
