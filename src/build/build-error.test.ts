import { expect, test } from "vitest";
import { BuildError } from "./build-error.js";

const dockerfile = "FROM busybox\nRUN echo compiling; exit 3\n";

test("explains a failure by message, last words and place", () => {
  const at = { line: 2, character: 0 };
  const error = new BuildError("failed to solve: exit code: 3", {
    grpcCode: 2,
    step: {
      digest: "sha256:1",
      name: "[2/2] RUN make",
      exitCode: 3,
      log: ["compiling", "\u001b]0;title\u0007broken"],
    },
    sources: [
      {
        info: { filename: "Dockerfile", data: Buffer.from(dockerfile), language: "Dockerfile" },
        ranges: [{ start: at, end: at }],
      },
    ],
  });
  expect(error.message).toBe("failed to solve: exit code: 3");
  expect(error.explain()).toBe(
    [
      "failed to solve: exit code: 3",
      "",
      "[2/2] RUN make:",
      "compiling",
      "broken",
      "",
      "Dockerfile:2",
      "--------------------",
      "   1 |     FROM busybox",
      "   2 | >>> RUN echo compiling; exit 3",
      "   3 |     ",
      "--------------------",
    ].join("\n"),
  );
});

test("explains what has neither step nor place by its message", () => {
  expect(new BuildError("refused", { grpcCode: 2, sources: [] }).explain()).toBe("refused");
});
