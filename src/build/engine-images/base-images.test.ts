import { expect, test } from "vitest";
import { baseImages } from "./base-images.js";

const full = (name: string) => `docker.io/library/${name}`;

test.each<[string, string, string[]]>([
  ["a name", "FROM busybox", ["busybox:latest"]],
  [
    "stages",
    "FROM a:1 AS x\nFROM x AS y\nCOPY --from=X / /\nCOPY --from=0 / /\nCOPY --from=b:2 / /",
    ["a:1", "b:2"],
  ],
  ["mounts", "FROM a\nRUN --mount=type=bind,from=b:2,target=/x true", ["a:latest", "b:2"]],
  ["a mount that begins with it", "FROM a\nRUN --mount=from=b true", ["a:latest", "b:latest"]],
  ["continued lines", "FROM \\\n  # comment\n  a:1", ["a:1"]],
  ["another escape", "# escape=`\nFROM `\n a:1", ["a:1"]],
  ["defaults", "ARG V=1\nARG N=app\nFROM $N:${V}", ["app:1"]],
  ["a default with another", 'ARG V=1\nARG T="$V-x"\nFROM app:$T', ["app:1-x"]],
  ["words", "FROM app:${A:-1}\nFROM app:${A-${B:-2}}\nFROM b${A:+x}", ["app:1", "app:2", "b:latest"]],
  ["several in a line", "ARG A=x B=2\nFROM $A:$B", ["x:2"]],
  ["what has no value", "ARG A\nFROM $A\nFROM b$C\nFROM ${D:?no}\nFROM ${E#x}", []],
  ["scratch", "FROM scratch\nFROM SCRATCH", []],
  ["a platform", "FROM --platform=linux/amd64 a", ["a:latest"]],
  ["an ARG of a stage", "FROM a\nARG V=1\nFROM b:$V", ["a:latest"]],
])("finds %s", (_, dockerfile, names) => {
  expect(baseImages(dockerfile)).toEqual(names.map(full));
});

test("build arguments come before defaults, and only for what is declared", () => {
  const args = new Map([
    ["V", "2"],
    ["W", "3"],
  ]);
  expect(baseImages("ARG V=1\nFROM a:$V\nFROM b:$W", { args })).toEqual([full("a:2")]);
});

test("names that depend on the platform are found for each", () => {
  const platforms = ["linux/amd64", "linux/arm64"];
  expect(baseImages("FROM a:$TARGETARCH", { platforms })).toEqual([full("a:amd64"), full("a:arm64")]);
});

test("takes time in line with the text's length", () => {
  const text = `ARG A=${"${A:-".repeat(20_000)}\nFROM ${"$".repeat(50_000)}\nRUN ${" --from".repeat(20_000)}`;
  expect(baseImages(text)).toEqual([]);
  expect(baseImages(`FROM ${"${A:-".repeat(50_000)}${"}".repeat(50_000)}`)).toEqual([]);
});

test("here-documents and triggers name none; a comment ends the directives", () => {
  expect(baseImages("FROM a\nRUN <<EOF\nFROM b\nCOPY --from=c / /\nEOF\nONBUILD COPY --from=d / /")).toEqual([
    full("a:latest"),
  ]);
  expect(baseImages("# a comment\n# escape=`\nFROM a\nRUN x `\nFROM b")).toEqual([
    full("a:latest"),
    full("b:latest"),
  ]);
});
