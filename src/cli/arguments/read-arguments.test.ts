import { Option } from "commander";
import { describe, expect, test } from "vitest";
import { findName } from "./find-command.js";
import { readArguments } from "./read-arguments.js";

const options = [
  new Option("-f, --file <string>"),
  new Option("-q, --quiet"),
  new Option("-D, --debug"),
  new Option("--no-cache"),
  new Option("--size <bytes>").argParser((text) => {
    if (text !== "1") throw new Error("no size");
    return 1;
  }),
];

function read(...args: string[]) {
  const { flags, operands } = readArguments(args, options);
  return [...flags.map(({ text }) => text), "--", ...operands];
}

describe("flags are read as Go reads them", () => {
  test.each([
    [
      ["-f", "x", "a"],
      ["--file=x", "--", "a"],
    ],
    [["-fx"], ["--file=x", "--"]],
    [["-f=x"], ["--file=x", "--"]],
    [
      ["-qf", "x"],
      ["--file=x", "--quiet", "--"],
    ],
    [["--file="], ["--file=", "--"]],
    [
      ["--file", "-q"],
      ["--file=-q", "--"],
    ],
    [
      ["a", "-q", "b"],
      ["--quiet", "--", "a", "b"],
    ],
    [["-q", "--quiet=false"], ["--"]],
    [["--no-cache=true"], ["--no-cache", "--"]],
    [
      ["--", "-q", "--"],
      ["--", "-q", "--"],
    ],
    [["-"], ["--", "-"]],
  ])("%j", (args, expected) => {
    expect(read(...args)).toEqual(expected);
  });

  test.each([
    [["--bogus=1"], "unknown flag: --bogus"],
    [["--flie=x"], "unknown flag: --flie, did you mean --file?"],
    [["-qx"], "unknown shorthand flag: 'x' in -x"],
    [["--file"], "flag needs an argument: --file"],
    [["-qf"], "flag needs an argument: 'f' in -f"],
    [["---x"], "bad flag syntax: ---x"],
    [["--=x"], "bad flag syntax: --=x"],
    [["--size", "2"], 'invalid argument "2" for "--size" flag: no size'],
    [
      ["-q=maybe"],
      'invalid argument "maybe" for "-q, --quiet" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
  ])("%j is refused", (args, message) => {
    expect(() => read(...args)).toThrow(message);
  });
});

test("a command's name may stand behind flags and their values", () => {
  expect(findName(["--file", "x", "-q", "build", "y"], options)).toEqual({
    name: "build",
    rest: ["--file", "x", "-q", "y"],
  });
  expect(findName(["--unknown", "build"], options).name).toBeUndefined();
  expect(findName(["--", "build"], options).name).toBeUndefined();
});
