import { type BuildkitClient, toStatusUpdate } from "../buildkit/index.js";
import {
  type EventSink,
  type LinkedSignal,
  isSlipwayError,
  linkSignal,
  statusEvent,
  untilAborted,
} from "../core/index.js";
import { StatusBudget } from "./status-budget.js";

/** After the solve is done, how long the status stream may stay silent before it is given up (BK client/solve.go), in ms. */
export const statusSilenceMilliseconds = 5_000;

/** What a {@link StatusWatch} works with. */
export interface StatusWatchOptions {
  client: BuildkitClient;
  /** The build's id. */
  ref: string;
  /** Gets what the daemon says of the build. */
  sink: EventSink;
  /** Ends the stream at once, also while `sink` takes nothing. */
  signal: AbortSignal;
  /** Is told when the daemon says more of a build than is kept. */
  onExceeded: (error: Error) => void;
}

/** A build's status stream, passed on while the build runs. */
export class StatusWatch {
  /** Resolves when the stream has ended, with its error if it failed. Never rejects. */
  readonly ended: Promise<unknown>;
  readonly #client: BuildkitClient;
  readonly #silence: LinkedSignal;
  #isHeard = false;
  #isFinishing = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: StatusWatchOptions) {
    this.#client = options.client;
    this.#silence = linkSignal(options.signal);
    this.ended = this.#passOn(options);
  }

  /**
   * Says that the daemon refused the build before its frontend had begun. It has nothing to say of such a build, and would keep
   * the stream open for seconds to find that out.
   */
  refused(): void {
    if (this.#isHeard) return;
    // However slow the link is: what the daemon has said by now is here before the answer to another call. Not
    // client.info(), which asks once only.
    void this.#client.control
      .info({}, { signal: this.#silence.signal })
      .catch(() => {}) // a dead connection ends the stream as well
      .then(() => {
        if (!this.#isHeard) this.#silence.abort("the build was refused");
      });
  }

  /** Resolves when the stream has ended or fallen silent. */
  async finish(): Promise<void> {
    this.#isFinishing = true;
    this.#expectMore();
    await this.ended;
    clearTimeout(this.#timer);
    this.#silence[Symbol.dispose]();
  }

  async #passOn({ ref, sink, onExceeded }: StatusWatchOptions): Promise<unknown> {
    const budget = new StatusBudget();
    const { signal } = this.#silence;
    try {
      for await (const response of this.#client.control.status({ Ref: ref }, { signal })) {
        this.#isHeard = true;
        this.#expectMore();
        const update = toStatusUpdate(response);
        budget.take(update);
        sink(statusEvent(update));
        // A display that is behind stops this stream only; uploads, health and exports go on (FLT-39).
        const room = sink.ready?.();
        if (!room) continue;
        clearTimeout(this.#timer); // it is the display that is slow now, not the daemon
        await untilAborted(signal, room);
        this.#expectMore();
      }
    } catch (error) {
      if (isSlipwayError(error, "BUILD_TOO_LARGE") || isSlipwayError(error, "BUILDKIT_LIMIT"))
        onExceeded(error);
      // The solve's own error says more than that of its status stream (FLT-22).
      if (!signal.aborted) return error;
    } finally {
      const { droppedWarnings } = budget;
      if (droppedWarnings > 0) {
        const text = `${droppedWarnings} more warnings of the builder are not kept`;
        sink({ type: "message", level: "warning", text });
      }
    }
    return undefined;
  }

  /** Once the build is over the daemon has so long for its next word. */
  #expectMore(): void {
    if (!this.#isFinishing) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#silence.abort("the status stream is silent"),
      statusSilenceMilliseconds,
    );
  }
}
