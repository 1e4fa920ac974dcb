import type { gateway } from "../../buildkit/index.js";
import { SlipwayError, isSlipwayError, messageOf, timerDelay, untilAborted } from "../../core/index.js";
import { BuildError } from "../build-error.js";
import type { AskGateway, AskOptions, Gateway } from "../gateway-drive.js";
import { frontendRequest } from "../solve-request.js";
import { type HeldRoots, LiveFiles, type Roots } from "./live-files.js";
import { failedRoots, resultRoots } from "./roots.js";

/** What is kept of a build, and until when. */
export interface HoldOptions {
  /** A build that went well is kept as well. */
  result: boolean;
  /** A step that failed is kept. */
  failure: boolean;
  /** Without use for so long it is let go of, in ms. */
  idleMilliseconds: number;
}

/** A build whose gateway stays open, so that what it made, or the step in which it failed, can be looked into. */
export class HeldBuild {
  /** Resolves when the result is there; rejects with the build's error when a step failed that is kept. */
  readonly opened: Promise<HeldRoots>;
  readonly #options: HoldOptions;
  readonly #released: Promise<void>;
  readonly #closing = new AbortController();
  #resolve!: (held: HeldRoots) => void;
  #reject!: (error: Error) => void;
  #release!: () => void;
  /** Set when it was let go of, with the reason where nobody asked for it. */
  #closed: { why: string; cause?: unknown } | undefined;
  /** What the build is to end with, although it went well. */
  #rejected: Error | undefined;
  #inUse = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: HoldOptions) {
    this.#options = options;
    this.opened = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.opened.catch(() => {}); // whoever waits for it hears of it
    this.#released = new Promise((resolve) => (this.#release = resolve));
  }

  /** Drives the build. */
  readonly ask: AskGateway = async (bridge, options) => {
    const { signal, plan } = options;
    // Lazily made, a result would fail only when somebody looks.
    const request = { ...frontendRequest(plan), Evaluate: true };
    let result: gateway.Result | undefined;
    try {
      ({ result } = await bridge.solve(request, { signal }));
    } catch (error) {
      await this.#holdFailure(error, bridge, options);
      throw error;
    }
    if (this.#options.result) {
      this.#resolve(this.#hold(resultRoots(result, bridge)));
      await untilAborted(signal, this.#released);
      if (this.#rejected) throw this.#rejected;
    }
    return result;
  };

  /** Lets go of it, so that the build ends with this error and nothing is put out. */
  reject(error: Error): void {
    this.#rejected ??= error;
    this.release();
  }

  /** Lets go of it; calls under way fail. Idempotent: what is given first as `lost` is the reason. */
  release(lost?: { why: string; cause?: unknown }): void {
    this.#closed ??= lost ?? { why: "" };
    clearTimeout(this.#idle);
    this.#closing.abort(closedMeanwhile(this.#closed.why, this.#closed.cause));
    this.#release();
  }

  async #holdFailure(error: unknown, bridge: Gateway, { signal, explain }: AskOptions): Promise<void> {
    if (!this.#options.failure) return;
    const told = explain(error);
    if (!(told instanceof BuildError)) return;
    let roots: Roots | undefined;
    try {
      roots = await failedRoots(error, bridge, signal);
    } catch {
      // What failed is told, and not that it could not be kept.
    }
    if (!roots) return;
    told.files = new LiveFiles(this.#hold(roots));
    this.#reject(told);
    await untilAborted(signal, this.#released);
  }

  #hold(roots: Roots): HeldRoots {
    this.#wait();
    return { roots, closing: this.#closing.signal, use: (work) => this.#use(work) };
  }

  async #use<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed)
      throw new SlipwayError(
        "RESULT_CLOSED",
        `the result is closed${this.#closed.why}: what it was can be had by another build`,
        { cause: this.#closed.cause },
      );
    clearTimeout(this.#idle);
    this.#inUse++;
    try {
      const result = await work();
      // A command that ran in it was killed, and may seem to have ended by itself.
      this.#throwIfClosed();
      return result;
    } catch (error) {
      this.#throwIfClosed(error);
      throw error;
    } finally {
      this.#inUse--;
      this.#wait();
    }
  }

  #throwIfClosed(cause?: unknown): void {
    if (this.#closed) throw closedMeanwhile(this.#closed.why, cause);
  }

  /** Whoever forgets to close it does not keep the builder's disk for ever. */
  #wait(): void {
    if (this.#inUse > 0 || this.#closed) return;
    clearTimeout(this.#idle);
    const { idleMilliseconds } = this.#options;
    const why = `, for it was not used for ${idleMilliseconds / 1000} s`;
    this.#idle = setTimeout(() => this.release({ why }), timerDelay(idleMilliseconds)).unref();
  }
}

function closedMeanwhile(why: string, cause?: unknown): SlipwayError {
  return isSlipwayError(cause, "RESULT_CLOSED")
    ? cause
    : new SlipwayError("RESULT_CLOSED", `the result was closed meanwhile${why}`, { cause });
}

/** Lets go of what is held when its build has ended with an error, which is why it is closed. */
export function lostWith(cause: unknown): { why: string; cause: unknown } {
  return { why: ` (${messageOf(cause)})`, cause };
}
