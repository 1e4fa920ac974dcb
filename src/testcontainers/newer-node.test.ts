import { expect, test } from "vitest";
import { newerNodeOf } from "./newer-node.js";

const needing = (node: unknown) => ({ engines: { node } });

test.each([
  [needing(">= 22.22"), "20.20.0", "22.22"],
  [needing(">=22.19.0"), "22.18.5", "22.19"],
  [needing(">=22"), "20.19.6", "22"],
  [needing(">=22.19.0"), "22.19.0", undefined],
  [needing(">=22.19.0"), "24.0.0", undefined],
  // Ranges of another form, and no ranges at all, are left to the package.
  [needing("^20 || >=22"), "18.0.0", undefined],
  [needing(22), "20.0.0", undefined],
  [{}, "20.0.0", undefined],
  [undefined, "20.0.0", undefined],
  [null, "20.0.0", undefined],
  ["text", "20.0.0", undefined],
])("%j on Node %s", (manifest, version, needed) => {
  expect(newerNodeOf([manifest], version)).toBe(needed);
});

test("the first that needs a newer one counts", () => {
  expect(newerNodeOf([{}, needing(">=22"), needing(">=24")], "20.0.0")).toBe("22");
});
