import { text } from "node:stream/consumers";
import { PassThrough, Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { quickAnswer } from "./quick-answer.js";
import { runCommand } from "../run-command.js";

describe("quickAnswer", () => {
  it.each([["version"], ["docker-cli-plugin-metadata"]])(
    "says what the program says to %s",
    async (argument) => {
      const stdout = new PassThrough();
      const context = {
        env: {},
        stdin: new PassThrough(),
        stdout,
        stderr: new Writable(),
        signal: new AbortController().signal,
      };
      expect(await runCommand([argument], context as never)).toBe(0);
      stdout.end();
      expect(quickAnswer([argument])).toBe(await text(stdout));
    },
  );

  it("leaves all else to the program", () => {
    for (const args of [[], ["ls"], ["version", "--help"], ["--debug", "version"]])
      expect(quickAnswer(args)).toBeUndefined();
  });
});
