import { inspect } from "node:util";
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { BuildkitError, rpc } from "../buildkit/index.js";
import { Redactor } from "../core/index.js";
import { BuildError, BuildErrorCollector } from "./build-error.js";

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

test("SEC-16 keeps secrets out of the message, the step, its last words and the cause", () => {
  const redactor = new Redactor();
  const collector = new BuildErrorCollector(redactor);
  const log = (text: string) => ({ vertex: "sha256:1", stream: 1, data: Buffer.from(text), timestamp: 0n });
  // Half of a secret stands where the tail was cut.
  const logs = [log("hunt"), log(`er22 ${"x".repeat(20_000)}\n`), log("the hunter22\n")];
  const vertexes = [{ digest: "sha256:1", name: "RUN echo hunter22", inputs: [], cached: false }];
  collector.add({ vertexes, logs, statuses: [], warnings: [] } as never);
  redactor.add(Buffer.from("hunter22\n"));
  const vertex = {
    typeUrl: "github.com/moby/buildkit/errdefs.Vertex+json",
    value: Buffer.from(JSON.stringify({ digest: "sha256:1" })),
  };
  const status = create(rpc.StatusSchema, { code: 2, message: "process hunter22 failed", details: [vertex] });
  const error = collector.explain(new BuildkitError("BUILDKIT_STATUS", status));
  expect((error as BuildError).step).toMatchObject({ name: "RUN echo *****", log: ["the *****"] });
  expect(inspect(error, { depth: 9 })).toContain("process ***** failed");
  expect(inspect(error, { depth: 9 })).not.toMatch(/hunter22|er22/);
});

test("a short message names the step and its exit code, else what failed", () => {
  const step = { digest: "d", name: "[2/3] RUN make", exitCode: 2, log: ["x"] };
  expect(new BuildError("failed to solve: long", { grpcCode: 2, step, sources: [] }).shortMessage).toBe(
    "[2/3] RUN make: exit code 2",
  );
  expect(new BuildError("failed to solve: no\nmore", { grpcCode: 2, sources: [] }).shortMessage).toBe("no");
});
