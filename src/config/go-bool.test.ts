import { expect, test } from "vitest";
import { parseGoBool } from "./go-bool.js";

test("takes exactly the spellings of strconv.ParseBool", () => {
  for (const text of ["1", "t", "T", "TRUE", "true", "True"]) expect(parseGoBool(text)).toBe(true);
  for (const text of ["0", "f", "F", "FALSE", "false", "False"]) expect(parseGoBool(text)).toBe(false);
  for (const text of ["", "yes", "tRUE", " true", "on"]) expect(parseGoBool(text)).toBeUndefined();
});
