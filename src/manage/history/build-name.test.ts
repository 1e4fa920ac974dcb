import { expect, test } from "vitest";
import { buildName } from "./build-name.js";

const state = (localPath: string, dockerfilePath = "") => ({ localPath, dockerfilePath, target: "default" });

test.each([
  ["the name given", { "build-arg:BUILDKIT_BUILD_NAME": "given", target: "t" }, undefined, "given"],
  ["a directory", {}, state("/work/app"), "app"],
  ["a directory and a target", { target: "test" }, state("/work/app"), "app (test)"],
  ["a Dockerfile of another name", {}, state("/work/app", "/work/app/dev.Dockerfile"), "app/dev.Dockerfile"],
  [
    "a git URL",
    { context: "https://h/a.git?branch=b" },
    state("https://h/a.git?branch=b"),
    "https://h/a.git?branch=b",
  ],
  // What buildx sends with BUILDX_SEND_GIT_QUERY_AS_INPUT.
  [
    "a git URL as input",
    { "input:context": "https://h/a.git?branch=b" },
    state("https://h/a.git?branch=b"),
    "https://h/a.git#refs/heads/b",
  ],
  ["a git URL as input", { "input:context": "git@h:a/b.git?subdir=c#d" }, undefined, "git@h:a/b.git#d"],
  [
    "a git URL as input that is no reference",
    { "input:context": "https://h/a.git?new=b" },
    undefined,
    "https://h/a.git?new=b",
  ],
  ["where it comes from", { "vcs:source": "https://h/a.git" }, undefined, "https://h/a.git"],
  [
    "a git URL with a password as input",
    { "input:context": "https://u:p@h/a.git?ref=c" },
    undefined,
    "https://***@h/a.git#c",
  ],
  ["a target only", { target: "test" }, state("-"), "test"],
  ["nothing, as from memory: its image", {}, state("-"), "app:1"],
])("a build is called by %s", (_, attrs, local, name) => {
  const images = ["", "app:1"];
  const found = buildName(attrs, local, { images, id: "abc" });
  expect(found.replace(/\/\/[^@/]*@/, "//***@")).toBe(name);
  expect(found).not.toContain("u:p");
});

test("a build without anything is called by its id", () => {
  expect(buildName({}, state("-"), { id: "abc" })).toBe("abc");
  expect(buildName({}, undefined, { images: [""], id: "abc" })).toBe("abc");
});
