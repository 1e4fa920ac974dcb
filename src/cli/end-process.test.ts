import { expect, test } from "vitest";
import { endProcess } from "./end-process.js";

const cases: [string, number, number, boolean][] = [
  ["that is out ends it", 0, 0, true],
  ["on its way to stdout is waited for", 1, 0, false],
  ["on its way to stderr is waited for", 0, 1, false],
];

test.each(cases)("output %s", (_, out, error, ended) => {
  let exits = 0;
  const process = {
    exitCode: undefined as number | string | null | undefined,
    stdout: { writableLength: out },
    stderr: { writableLength: error },
    exit: () => void exits++,
  };
  endProcess(process, 3);
  expect([process.exitCode, exits]).toEqual([3, ended ? 1 : 0]);
});
