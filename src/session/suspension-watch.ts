const intervalMilliseconds = 5_000;
// The builder drops a session after two health checks of at least 15 s each (buildkit session/grpc.go).
const suspendedMilliseconds = 20_000;

/**
 * Notices that this process stood still: a laptop that slept, SIGSTOP, a paused container. It goes by the wall clock,
 * since the monotonic clock stands still with the machine. A wall clock can be set, so this may explain a failure, but
 * must not cause one.
 */
export class SuspensionWatch implements Disposable {
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  #last: number;
  #suspended = false;

  /** `now` gives milliseconds of the wall clock. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.#last = now();
    this.#timer = setInterval(() => this.#check(), intervalMilliseconds);
    this.#timer.unref();
  }

  /** True when the process stood still for 20 s or more, up to this moment. */
  wasSuspended(): boolean {
    this.#check();
    return this.#suspended;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    const now = this.#now();
    if (now - this.#last >= suspendedMilliseconds) this.#suspended = true;
    this.#last = now;
  }
}
