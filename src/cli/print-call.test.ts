import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { readWaiting } from "../../test/support/read-waiting.js";
import { printCall } from "./print-call.js";
import { Printer } from "./printer.js";

const json = {
  sources: [{ filename: "Dockerfile", data: Buffer.from("from x\n").toString("base64") }],
  warnings: [
    {
      ruleName: "FromAsCasing",
      url: "https://example.com/rule",
      detail: "odd\n::error::casing",
      location: { ranges: [{ start: { line: 1 }, end: { line: 1 } }] },
    },
  ],
};

function printed(env: Record<string, string>, format?: "json"): string {
  const stream = new PassThrough();
  const request = { name: "lint", ignoreStatus: false, ...(format && { format }) };
  const call = { request, status: 1, json, jsonText: JSON.stringify(json), text: "", version: "1.0.0" };
  expect(printCall(call as never, { stdout: new Printer(stream, env), dockerfile: "CHANGELOG.md" })).toBe(1);
  return String(readWaiting(stream));
}

test("a check is marked in a workflow, at its line, and nowhere else", () => {
  const env = { GITHUB_ACTIONS: "true", GITHUB_WORKSPACE: process.cwd() };
  const lines = printed(env).split("\n");
  expect(lines).toContain(
    "::warning file=CHANGELOG.md,line=1,title=FromAsCasing::odd%0A::error::casing%0Ahttps://example.com/rule",
  );
  expect(lines.filter((line) => line.startsWith("::"))).toHaveLength(1);
  expect(printed({})).not.toContain("::warning");
  expect(printed({ GITLAB_CI: "true" })).not.toContain("::warning");
  expect(printed(env, "json")).not.toContain("::warning");
});
