import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { FakeServerCall } from "../../test/support/server-call.js";
import { policysession } from "../buildkit/index.js";
import { type PolicyDecision, policyVerifier } from "./policy.js";

async function check(decision: PolicyDecision) {
  const attachable = policyVerifier(({ Platform }) => {
    expect(Platform?.OS).toBe("linux");
    return decision;
  });
  const call = new FakeServerCall(attachable.methods[0] as string);
  const schema = policysession.CheckPolicyRequestSchema;
  call.send(toBinary(schema, create(schema, { Platform: { OS: "linux" } })));
  await attachable.handle(call);
  return fromBinary(policysession.CheckPolicyResponseSchema, call.sent[0] as Buffer).result;
}

describe("a policy", () => {
  it("is asked for by its method", () => {
    expect(policyVerifier(() => ({ action: "allow" })).methods).toEqual([
      "/moby.buildkit.v1.sourcepolicy.policysession.PolicyVerifier/CheckPolicy",
    ]);
  });

  it("allows, denies with reasons, and asks for more", async () => {
    expect(await check({ action: "allow" })).toMatchObject({ case: "decision", value: { action: 0 } });
    expect(await check({ action: "deny", messages: ["no", "never"] })).toMatchObject({
      case: "decision",
      value: { action: 1, denyMessages: [{ message: "no" }, { message: "never" }] },
    });
    expect(await check({ action: "resolve", request: { LogName: "more" } })).toMatchObject({
      case: "request",
      value: { LogName: "more" },
    });
  });
});
