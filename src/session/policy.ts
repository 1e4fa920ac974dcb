import type { MessageInitShape } from "@bufbuild/protobuf";
import { type gateway, type pb, policysession, sourcepolicy } from "../buildkit/index.js";
import type { Attachable } from "./attachable.js";
import { service } from "./service.js";

/** A source that the daemon is about to use, with what is known of it. */
export type PolicyRequest = policysession.CheckPolicyRequest;

/** What is to be done with a source. */
export type PolicyDecision =
  | { action: "allow" }
  /** The build fails with these words. */
  | { action: "deny"; messages: readonly string[] }
  /** Another source takes its place, or it gets other attributes. */
  | { action: "convert"; update: pb.SourceOp }
  /** The daemon finds out more and asks again. */
  | { action: "resolve"; request: MessageInitShape<typeof gateway.ResolveSourceMetaRequestSchema> };

/**
 * Decides on every source of a build that names this session in SourcePolicySession (buildkit
 * moby.buildkit.v1.sourcepolicy.policysession). What `check` throws fails the build.
 */
export function policyVerifier(
  check: (request: PolicyRequest, signal: AbortSignal) => Promise<PolicyDecision> | PolicyDecision,
): Attachable {
  return service(policysession.PolicyVerifier, {
    checkPolicy: async (request, call) => ({ result: resultOf(await check(request, call.signal)) }),
  });
}

type Result = NonNullable<MessageInitShape<typeof policysession.CheckPolicyResponseSchema>["result"]>;

function resultOf(decision: PolicyDecision): Result {
  const { ALLOW, CONVERT, DENY } = sourcepolicy.PolicyAction;
  switch (decision.action) {
    case "allow":
      return { case: "decision", value: { action: ALLOW } };
    case "deny": {
      const denyMessages = decision.messages.map((message) => ({ message }));
      return { case: "decision", value: { action: DENY, denyMessages } };
    }
    case "convert":
      return { case: "decision", value: { action: CONVERT, update: decision.update } };
    default:
      return { case: "request", value: decision.request };
  }
}
