import type { Environment } from "../config/index.js";

/** `version-trace-span-flags` in hex, neither of the ids all zeros (W3C Trace Context). */
const traceParent = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * Metadata by which a build belongs to the caller's trace, from `TRACEPARENT` and `TRACESTATE` (BuildKit
 * util/tracing/env). Empty without a caller's trace; what is malformed is none, as W3C Trace Context has it.
 */
export function traceHeaders(env: Environment): Record<string, string> {
  const parent = env["TRACEPARENT"]?.trim() ?? "";
  if (!traceParent.test(parent)) return {};
  const state = env["TRACESTATE"]?.trim() ?? "";
  return { traceparent: parent, ...(/^[\x20-\x7e]{1,512}$/.test(state) && { tracestate: state }) };
}
