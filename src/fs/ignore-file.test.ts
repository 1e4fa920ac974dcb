import { expect, test } from "vitest";
import { parseIgnoreFile } from "./ignore-file.js";

const parse = (text: string) => parseIgnoreFile(Buffer.from(text, "latin1"));

test("comments, blank lines, spaces and a byte order mark go; paths become clean and relative", () => {
  expect(parse("\xef\xbb\xbf# comment\n\n  /a//b/ \r\n ! /c/../d\n#x\n #y\n!\n/\n.\n")).toEqual([
    "a/b",
    "!d",
    "#y",
    "!",
    "/",
    ".",
  ]);
});

test("a byte order mark counts in the first line only, spaces beyond ASCII are trimmed", () => {
  expect(parse("a\n\xef\xbb\xbfb\n\xc2\xa0c\xe3\x80\x80\n")).toEqual(["a", "\xef\xbb\xbfb", "c"]);
});

test("FLT-76 a line of 64 KiB is refused, a shorter one passes", () => {
  expect(parse(`${"a".repeat(65_535)}\n`)).toHaveLength(1);
  expect(() => parse(`ok\n${"a".repeat(65_536)}\n`)).toThrow("line 2 of the ignore file is too long");
});
