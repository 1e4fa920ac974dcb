import { describe, expect, test } from "vitest";
import { readErrorDetail } from "./error-details.js";

function detail(name: string, json: unknown) {
  const value = Buffer.from(typeof json === "string" ? json : JSON.stringify(json));
  return readErrorDetail({ typeUrl: `github.com/moby/buildkit/${name}+json`, value });
}

describe("readErrorDetail", () => {
  test.each([
    ["errdefs.Vertex", { digest: "sha256:aa" }, { type: "vertex", digest: "sha256:aa" }],
    ["gatewayapi.ExitMessage", { Code: 137 }, { type: "exit", code: 137 }],
    ["errdefs.Subrequest", { name: "frontend.lint" }, { type: "subrequest", name: "frontend.lint" }],
    ["errdefs.FrontendCap", { name: "moby.x" }, { type: "frontend-cap", name: "moby.x" }],
    ["errdefs.Frontend", { name: "gateway.v0" }, { type: "frontend", name: "gateway.v0", source: "" }],
    [
      "errdefs.CompatibilityFeature",
      { version: 20, feature: "x" },
      { type: "compatibility", version: 20, feature: "x" },
    ],
    [
      "policysession.DecisionResponse",
      { action: "DENY", denyMessages: [{ message: "no" }, { message: "never" }] },
      { type: "policy", action: "deny", messages: ["no", "never"] },
    ],
    ["policysession.DecisionResponse", { action: 1 }, { type: "policy", action: "deny", messages: [] }],
    ["policysession.DecisionResponse", {}, { type: "policy", action: "allow", messages: [] }],
  ])("reads %s", (name, json, expected) => {
    expect(detail(name, json)).toEqual(expected);
  });

  test("reads a source with its ranges; Go leaves zeros out", () => {
    const json = {
      info: {
        filename: "Dockerfile",
        data: Buffer.from("FROM a\n").toString("base64"),
        language: "Dockerfile",
      },
      ranges: [{ start: { line: 2 }, end: { line: 3, character: 4 } }, {}],
    };
    expect(detail("errdefs.Source", json)).toEqual({
      type: "source",
      source: { filename: "Dockerfile", data: Buffer.from("FROM a\n"), language: "Dockerfile" },
      ranges: [
        { start: { line: 2, character: 0 }, end: { line: 3, character: 4 } },
        { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } },
      ],
    });
    expect(detail("errdefs.Source", {})).toEqual({ type: "source", ranges: [] });
  });

  test.each([
    ["errdefs.Vertex", "{"],
    ["errdefs.Vertex", "[]"],
    ["errdefs.Vertex", "null"],
    ["errdefs.Vertex", `${"[".repeat(2000)}${"]".repeat(2000)}`],
    ["stack.Stack", "{}"],
    ["constructor", "{}"],
    ["__proto__", "{}"],
  ])("SEC-27 keeps what it cannot read: %s", (name, json) => {
    expect(detail(name, json)).toMatchObject({ type: "other", value: Buffer.from(json) });
  });

  test("SEC-27 takes no field of the wrong type", () => {
    expect(detail("errdefs.Vertex", { digest: { toString: 1 } })).toEqual({ type: "vertex", digest: "" });
    expect(detail("errdefs.Source", { info: [1], ranges: { length: 9 } })).toEqual({
      type: "source",
      ranges: [],
    });
  });
});
