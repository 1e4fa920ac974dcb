import { expect, test } from "vitest";
import { frontendOf, readDirectives } from "./directives.js";
import { placeAt, readInstructions } from "./instructions.js";

/** Each instruction as `WORD line`, with the lines of its here-documents behind. As BuildKit 0.34's parser reads them, too. */
const read = (text: string) =>
  readInstructions(text).map(
    ({ word, isTrigger, text: all }) => `${isTrigger ? "ONBUILD " : ""}${word} ${all}`,
  );

test.each<[string, string, string[]]>([
  ["words in any case, and blanks before them", "from a\n  \tRun  b ", ["FROM a", "RUN b "]],
  ["a trigger", "ONBUILD run a\nonbuild", ["ONBUILD RUN a", "ONBUILD "]],
  ["lines put together by nothing", "RUN a\\\nb \\\n  c", ["RUN ab   c"]],
  ["blanks behind what continues a line", "RUN a \\ \t\n b\nRUN c", ["RUN a  b", "RUN c"]],
  ["an escape that is escaped", "RUN a \\\\\nRUN b", ["RUN a \\\\", "RUN b"]],
  ["a line that is only continued", "\\\nRUN a\nR\\\nUN b", ["RUN a", "RUN b"]],
  ["comments and empty lines between", "# x\nRUN a \\\n  # b \\\n\n \t\n c\n\nRUN d", ["RUN a  c", "RUN d"]],
  ["what goes on behind the end", "RUN a \\", ["RUN a "]],
  ["other ends of lines", "RUN a \\\r\n b\r\nRUN c\r\n", ["RUN a  b", "RUN c"]],
  ["another escape", "# escape=`\nRUN a `\n b\nRUN c \\\nRUN d", ["RUN a  b", "RUN c \\", "RUN d"]],
  ["an escape behind a comment, which is none", "# a\n# escape=`\nRUN a `\nRUN b", ["RUN a `", "RUN b"]],
  ["an escape behind an unknown name", "# a=b\n# escape=`\nRUN a `\nRUN b", ["RUN a `", "RUN b"]],
  ["an escape behind an empty line", "\n# escape=`\nRUN a `\nRUN b", ["RUN a `", "RUN b"]],
  ["a byte order mark", "\ufeff# escape=`\nRUN a `\n b", ["RUN a  b"]],
  ["that mark in bytes", "\xef\xbb\xbfRUN a", ["RUN a"]],
  ["a here-document", "RUN <<EOF\nRUN a\n# b\n\nEOF\nRUN c", ["RUN <<EOF\nRUN a\n# b\n\nEOF", "RUN c"]],
  ["one behind blanks", "RUN cat << EOF\nRUN a\nEOF\nRUN b", ["RUN cat << EOF\nRUN a\nEOF", "RUN b"]],
  ["tabs before the end", "RUN <<-A <<B\n\tA\n\tB\nB\nRUN c", ["RUN <<-A <<B\n\tA\n\tB\nB", "RUN c"]],
  [
    "quoted ends",
    "COPY 3<<'A B' <<\"C\" /\nx\nA B\nC\nRUN d",
    ["COPY 3<<'A B' <<\"C\" /\nx\nA B\nC", "RUN d"],
  ],
  ["one of a trigger", "ONBUILD COPY <<E /\nRUN x\nE\nRUN b", ["ONBUILD COPY <<E /\nRUN x\nE", "RUN b"]],
  [
    "shifts, texts and other instructions",
    "RUN $((1<<2)) '<<E' <<<x\nENV A=<<E",
    ["RUN $((1<<2)) '<<E' <<<x", "ENV A=<<E"],
  ],
  ["a quote that is left open", "RUN <<E it's\nRUN b", ["RUN <<E it's", "RUN b"]],
  ["one that never ends", "RUN <<E\na", ["RUN <<E\na"]],
  ["no instructions", "# a\n\n \\\n", []],
])("reads %s", (_, dockerfile, instructions) => {
  expect(read(dockerfile)).toEqual(instructions);
});

test("tells where each place of an instruction stands", () => {
  const [from, run] = readInstructions("\ufeffFROM a\n\\\n  RUN \\\n# b\n  c <<E\nd\nE\n");
  expect(from && placeAt(from, 0)).toEqual({ line: 1, column: 6 });
  if (!run) throw new Error("no RUN");
  const placeOf = (text: string) => placeAt(run, run.text.indexOf(text));
  expect(placeAt(run, run.wordEnd - 1)).toEqual({ line: 3, column: 4 });
  expect(placeOf("c")).toEqual({ line: 5, column: 2 });
  expect(placeOf("d")).toEqual({ line: 6, column: 0 });
  expect(run.line).toBe("c <<E");
});

test("directives are those that a Dockerfile begins with; a line for a shell may stand before that of the frontend", () => {
  expect(readDirectives("# Syntax = a:1 b \r\n#check=skip=all\n# no\n# escape=`\n")).toEqual([
    { name: "syntax", value: "a:1 b", line: 1 },
    { name: "check", value: "skip=all", line: 2 },
  ]);
  expect(frontendOf("# syntax=a:1 b\n")).toEqual({ image: "a:1", line: 1 });
  expect(frontendOf("#!/bin/sh\n# syntax=a:1\n")).toEqual({ image: "a:1", line: 2 });
  expect(frontendOf("# what it is\n# syntax=a:1\n")).toBeUndefined();
});

test("takes time in line with the text's length", () => {
  const many = 100_000;
  for (const text of [
    "RUN \\\n".repeat(many),
    `RUN ${"<< ".repeat(many)}`,
    `RUN ${"'".repeat(many)}<<E`,
    `RUN ${"\\ ".repeat(many)}`,
    `RUN <<E\n${"\t\n".repeat(many)}`,
    `${" ".repeat(many)}\n`.repeat(3),
    `#${" ".repeat(many)}=`,
  ])
    expect(readInstructions(text).length).toBeLessThan(2);
});
