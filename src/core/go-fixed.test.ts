import { expect, test } from "vitest";
import { goFixed } from "./go-fixed.js";

test("exact ties are rounded to even", () => {
  const rounded = [0.25, 0.75, 0.35, 2.5, 1.05].map((value) => goFixed(value, 1));
  expect(rounded).toEqual(["0.2", "0.8", "0.3", "2.5", "1.1"]);
  expect(goFixed(0.125, 2)).toBe("0.12");
});
