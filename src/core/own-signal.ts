import { allowListeners } from "./signals.js";

const adopted = new WeakMap<AbortSignal, AbortSignal>();

/**
 * The signal itself, or, for one of another realm or library (jsdom's, a polyfill's), one of this realm that aborts with it: Node's
 * own functions and undici take no others. The same one for the same signal, so that it is listened to once.
 */
export function ownSignal(signal: AbortSignal): AbortSignal {
  if (signal instanceof AbortSignal) {
    // A program may have one for all that it does side by side.
    allowListeners(signal);
    return signal;
  }
  const foreign = signal as AbortSignal;
  const known = adopted.get(foreign);
  if (known) return known;
  const controller = new AbortController();
  allowListeners(controller.signal);
  // Old polyfills have no reason.
  const abort = () => controller.abort(foreign.reason);
  if (foreign.aborted) abort();
  else foreign.addEventListener("abort", abort, { once: true });
  adopted.set(foreign, controller.signal);
  return controller.signal;
}
