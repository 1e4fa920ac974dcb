import { expect, test } from "vitest";
import { sourceIdentifier } from "./materials.js";

test.each([
  ["https://a.test/b.git#main:c", "git://a.test/b.git#main:c"],
  ["git@a.test:b.git#%C3%A9", "git://a.test/b.git#é"],
  // Found by the fuzzer: escapes that are no UTF-8.
  ["https://a.test/b.git#%C3", undefined],
  ["https://a.test/b.git#%", undefined],
  ["https://", undefined],
])("BuildKit asks for the repository %s by %s", (uri, identifier) => {
  expect(sourceIdentifier({ uri, kind: "git" })).toBe(identifier);
});
