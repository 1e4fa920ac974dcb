import { expect, test } from "vitest";
import { AbortedError, DeadlineError, InvalidArgumentError, SlipwayError } from "./errors.js";

const withCode = (code: string) => Object.assign(new Error(code), { code });

test.each([
  [new DeadlineError("x", 1), true],
  [new SlipwayError("SESSION_LOST", "x"), true],
  [new SlipwayError("ENGINE_CONNECT", "x", { cause: withCode("ECONNREFUSED") }), true],
  [
    new SlipwayError("ENGINE_CONNECT", "x", { cause: new Error("y", { cause: withCode("EAI_AGAIN") }) }),
    true,
  ],
  [new SlipwayError("ENGINE_CONNECT", "x", { cause: withCode("ENOENT") }), false],
  [Object.assign(new SlipwayError("ENGINE_STATUS", "x"), { status: 503 }), true],
  [Object.assign(new SlipwayError("ENGINE_STATUS", "x"), { status: 400 }), false],
  [Object.assign(new SlipwayError("BUILDKIT_STATUS", "x"), { grpcCode: 14 }), true],
  [Object.assign(new SlipwayError("BUILD_FAILED", "x"), { grpcCode: 2 }), false],
  [new InvalidArgumentError("x", { cause: withCode("ECONNRESET") }), false],
  [new AbortedError(withCode("ETIMEDOUT")), false],
])("%s may pass: %s", (error, retryable) => expect(error.retryable).toBe(retryable));

test("a short message is one line of bounded length", () => {
  expect(new InvalidArgumentError("one\ntwo").shortMessage).toBe("one");
  expect(new InvalidArgumentError("").shortMessage).toBe("");
  const { shortMessage } = new InvalidArgumentError("x".repeat(500));
  expect(shortMessage).toBe(`${"x".repeat(199)}…`);
});
