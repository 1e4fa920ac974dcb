import { expect, test } from "vitest";
import { dateOf } from "./timestamp.js";

test("SEC-67 any time from the wire is a valid date", () => {
  expect(dateOf({ seconds: 1n, nanos: 500_000_000 }).getTime()).toBe(1500);
  for (const seconds of [-(2n ** 63n), 2n ** 63n - 1n, -62_135_596_801n, 253_402_300_800n])
    for (const nanos of [-(2 ** 31), -1, 1e9, 2 ** 31 - 1, NaN])
      expect(() => dateOf({ seconds, nanos }).toISOString()).not.toThrow();
});
