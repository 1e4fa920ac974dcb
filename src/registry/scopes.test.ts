import { expect, test } from "vitest";
import { mergeScopes, repositoryScope } from "./scopes.js";

test("scopes of one resource come together, in a fixed order", () => {
  expect(
    mergeScopes(["repository:b:push", "repository:a:pull repository:b:pull,push", "", "registry:catalog:*"]),
  ).toEqual(["registry:catalog:*", "repository:a:pull", "repository:b:pull,push"]);
  expect(repositoryScope("a/b", true)).toBe("repository:a/b:pull,push");
  expect(mergeScopes([])).toEqual([]);
});
