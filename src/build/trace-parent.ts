import type { Environment } from "../config/index.js";

/** The span that something belongs below, as W3C Trace Context tells it. */
export interface TraceParent {
  /** In hex, 32 digits. */
  readonly traceId: string;
  /** In hex, 16 digits; undefined at the root of a trace. */
  readonly spanId?: string | undefined;
  /** In hex, 2 digits; the lowest bit says that the trace is kept. */
  readonly flags: string;
  readonly traceState?: string | undefined;
}

/** `version-trace-span-flags` in hex, neither of the ids all zeros (W3C Trace Context). */
const pattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/**
 * The caller's trace, from `TRACEPARENT` and `TRACESTATE` (BuildKit util/tracing/env). Undefined without one; what is malformed is
 * none, as W3C Trace Context has it.
 */
export function parseTraceParent(env: Environment): TraceParent | undefined {
  const [, traceId, spanId, flags] = pattern.exec(env["TRACEPARENT"]?.trim() ?? "") ?? [];
  if (traceId === undefined || flags === undefined) return undefined;
  const state = env["TRACESTATE"]?.trim() ?? "";
  return { traceId, spanId, flags, ...(/^[\x20-\x7e]{1,512}$/.test(state) && { traceState: state }) };
}

/** The value of `traceparent` for what a span calls. */
export function traceParentOf({ traceId, spanId, flags }: TraceParent & { spanId: string }): string {
  return `00-${traceId}-${spanId}-${flags}`;
}
