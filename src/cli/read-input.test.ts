import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { contextFromStdin, dockerfileFromStdin } from "../build/index.js";
import { readStreamBounded } from "../fs/index.js";
import { readInput } from "./read-input.js";

test.each([
  ["a context", contextFromStdin],
  ["a Dockerfile", dockerfileFromStdin],
  ["a password", (stdin: PassThrough) => readStreamBounded(stdin, "the password", 10)],
])(
  "%s that never comes is not waited for when the command is cancelled, and its stream closed",
  async (_, read) => {
    const controller = new AbortController();
    const stdin = new PassThrough();
    const reading = readInput({ stdin, signal: controller.signal }, async (stream): Promise<unknown> =>
      read(stream as PassThrough),
    );
    controller.abort();
    await expect(reading).rejects.toMatchObject({ code: "ABORTED" });
    expect(stdin.destroyed).toBe(true);
  },
);

test("what was read is left as it is when the command is cancelled later", async () => {
  const controller = new AbortController();
  const stdin = new PassThrough();
  stdin.write("FROM scratch");
  const reading = readInput({ stdin, signal: controller.signal }, async (stream) => {
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) return String(chunk);
    return "";
  });
  expect(await reading).toBe("FROM scratch");
  controller.abort();
  expect(stdin.destroyed).toBe(false);
  stdin.destroy();
});
