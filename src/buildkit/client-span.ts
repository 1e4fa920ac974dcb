/** One thing that a client did, as it stands in a build's trace. */
export interface ClientSpan {
  /** In hex, 32 digits. */
  traceId: string;
  /** In hex, 16 digits. */
  spanId: string;
  /** In hex, 16 digits. */
  parentSpanId?: string | undefined;
  traceState?: string | undefined;
  name: string;
  /** `client` made a call, `server` served one of the daemon's. */
  kind: "internal" | "client" | "server";
  /** Nanoseconds since 1970. */
  started: bigint;
  /** Nanoseconds since 1970. */
  ended: bigint;
  attributes: Readonly<Record<string, string>>;
  /** What failed; undefined when all went well. */
  error?: string | undefined;
}
