import { randomBytes } from "node:crypto";
import type { BuildkitClient, ClientSpan } from "../buildkit/index.js";
import type { Environment } from "../config/index.js";
import { type Redactor, messageOf } from "../core/index.js";
import type { Attachable } from "../session/index.js";
import { type TraceParent, parseTraceParent, traceParentOf } from "./trace-parent.js";

/** More of one build are not kept: a daemon may call as often as it likes. */
const mostSpans = 1_000;
/** Of an error, in characters. */
const longestError = 1_000;
/** How long the daemon may take for them, in ms: the build is over, and it can do without. */
const mostMilliseconds = 1_000;

/** Something that is under way. */
export interface OpenSpan {
  /** Metadata by which a call belongs to it. */
  readonly headers: Record<string, string>;
  /** Ends it, once; `error` is what it failed with. */
  end(error?: unknown): void;
}

/**
 * What this side does in a build, for the trace in its record, where it stands beside what the daemon did (buildx does the same).
 * It belongs to the caller's trace if `TRACEPARENT` names one, and else begins one. A trace that the caller does not sample gets
 * no spans.
 */
export class ClientTrace {
  readonly #parent: TraceParent;
  readonly #spans: ClientSpan[] = [];
  /** Nanoseconds since 1970 at which the process's own clock stood at 0. */
  readonly #epoch = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();

  readonly #redactor: Redactor;

  /** @param redactor knows what may not stand in the words of an error. */
  constructor(env: Environment, redactor: Redactor) {
    this.#redactor = redactor;
    this.#parent = parseTraceParent(env) ?? { traceId: randomBytes(16).toString("hex"), flags: "01" };
  }

  /** Begins a span below another, or below the caller's. */
  begin(
    name: string,
    kind: ClientSpan["kind"],
    options: { below?: OpenSpan; attributes?: Record<string, string> } = {},
  ): OpenSpan {
    const below = options.below?.headers["traceparent"];
    const parent = below === undefined ? this.#parent : parseTraceParent({ TRACEPARENT: below });
    return this.#begin(name, kind, parent, options.attributes);
  }

  /** The same services, whose calls are kept as spans below those of the daemon's that make them. */
  watched(attachables: readonly Attachable[]): Attachable[] {
    return attachables.map((attachable) => ({
      methods: attachable.methods,
      handle: async (call) => {
        const caller = parseTraceParent({ TRACEPARENT: call.header("traceparent") });
        // What the daemon does not trace, such as checks of the session's health, is of no interest.
        if (caller?.traceId !== this.#parent.traceId) return attachable.handle(call);
        const span = this.#begin(call.path.slice(1), "server", caller);
        try {
          await attachable.handle(call);
          span.end();
        } catch (error) {
          span.end(error);
          throw error;
        }
      },
    }));
  }

  /**
   * Hands the spans that have ended since the last time to the daemon, which keeps them with the build. That it does not is no
   * error.
   */
  async send(client: BuildkitClient): Promise<void> {
    if (!isSampled(this.#parent)) return;
    await client
      .sendSpans(this.#spans.splice(0), { signal: AbortSignal.timeout(mostMilliseconds) })
      .catch(() => {});
  }

  #begin(
    name: string,
    kind: ClientSpan["kind"],
    parent: TraceParent | undefined,
    attributes: Record<string, string> = {},
  ): OpenSpan {
    const { traceId, traceState, flags } = this.#parent;
    const spanId = randomBytes(8).toString("hex");
    const started = this.#now();
    let isOpen = true;
    return {
      headers: {
        traceparent: traceParentOf({ traceId, spanId, flags }),
        ...(traceState !== undefined && { tracestate: traceState }),
      },
      end: (error) => {
        if (!isOpen || this.#spans.length >= mostSpans) return;
        isOpen = false;
        const ended = this.#now();
        const text =
          // Cut afterwards: half of a secret is recognised by nobody.
          error === undefined ? undefined : this.#redactor.clean(messageOf(error)).slice(0, longestError);
        const ids = { traceId, spanId, traceState, parentSpanId: parent?.spanId };
        this.#spans.push({ ...ids, name, kind, started, ended, attributes, error: text });
      },
    };
  }

  #now(): bigint {
    return this.#epoch + process.hrtime.bigint();
  }
}

function isSampled({ flags }: TraceParent): boolean {
  return (parseInt(flags, 16) & 1) === 1;
}
