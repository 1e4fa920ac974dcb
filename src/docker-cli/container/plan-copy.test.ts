import { expect, test } from "vitest";
import { planCopy } from "./plan-copy.js";

const directory = { path: "/d", kind: "directory" } as const;
const file = { path: "/d/f", kind: "file" } as const;
const nothing = { path: "/d/new", kind: "nothing" } as const;

test.each([
  [
    "a file into a directory",
    "/a",
    false,
    directory,
    { directory: "/d", rename: undefined, isContent: false },
  ],
  ["a file over a file", "/a", false, file, { directory: "/d", rename: "f", isContent: false }],
  ["a file under a new name", "/a", false, nothing, { directory: "/d", rename: "new", isContent: false }],
  [
    "a directory into a directory",
    "/a",
    true,
    directory,
    { directory: "/d", rename: undefined, isContent: false },
  ],
  [
    "what is in a directory into another",
    "/a/.",
    true,
    directory,
    { directory: "/d", rename: undefined, isContent: true },
  ],
  ["a directory under a new name", "/a", true, nothing, { directory: "/d", rename: "new", isContent: false }],
  [
    "what is in a directory under a new name",
    "/a/.",
    true,
    nothing,
    { directory: "/d", rename: "new", isContent: false },
  ],
] as const)("%s", (_, path, isDirectory, place, plan) => {
  expect(planCopy({ path, isDirectory }, place)).toEqual(plan);
});

test("a directory does not replace a file, and a file needs the directory that is named", () => {
  expect(() => planCopy({ path: "/a", isDirectory: true }, file)).toThrow("cannot copy directory");
  expect(() => planCopy({ path: "/a", isDirectory: false }, { path: "/d/no/", kind: "nothing" })).toThrow(
    "no such directory",
  );
});
