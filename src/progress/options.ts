import type { Writable } from "node:stream";
import type { Environment } from "../config/index.js";
import type { EventSink } from "../core/index.js";

/** Where progress goes: any writable stream; `process.stderr` brings the other fields when it is a terminal. */
export type ProgressStream = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** Options of every renderer. */
export interface RenderOptions {
  /** Read for NO_COLOR, BUILDKIT_COLORS, BUILDKIT_TTY_LOG_LINES, TTY_DISPLAY_RATE, PROGRESS_NO_TRUNC. Default `process.env`. */
  env?: Environment;
  /** Milliseconds since the epoch. Default `Date.now`. */
  now?: () => number;
  /** Warnings at the end are shown with their details, links and source lines. Default false. */
  debug?: boolean;
  /** First word of the terminal display's header. Default `Building`. */
  phase?: string;
  /**
   * `auto`: output of steps loses control sequences only on a terminal. `always`: also elsewhere. Names, errors and
   * warnings always lose them. Default `auto`.
   */
  sanitize?: "auto" | "always";
}

/** A renderer: takes the events of a build, and is closed when no more will come. */
export interface ProgressSink extends EventSink {
  /** Shows what is left (as `end` does), and resolves when the stream has taken it all. Idempotent; never rejects. */
  close(): Promise<void>;
  /**
   * Undefined while more may be given; otherwise resolves when the stream has caught up. Whoever reads the daemon's
   * status stream waits for it, so that a blocked terminal slows that stream and nothing else.
   */
  ready(): Promise<void> | undefined;
}

/** Joins the parts of a {@link ProgressSink}. */
export function progressSink(
  take: EventSink,
  rest: { close(): Promise<void>; ready(): Promise<void> | undefined },
): ProgressSink {
  return Object.assign((event: Parameters<EventSink>[0]) => take(event), rest);
}
