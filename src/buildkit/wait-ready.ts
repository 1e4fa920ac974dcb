import { type Dial, abortError, isSlipwayError, readOptions, sleep, withDeadline } from "../core/index.js";
import { BuildkitClient, type BuildkitConnectOptions } from "./client.js";
import { waitReadyKinds } from "./option-kinds.js";

/** Options of {@link waitReady}. */
export interface WaitReadyOptions extends BuildkitConnectOptions {
  /** How long to go on trying, in ms; 20 s when not given. */
  milliseconds?: number;
  /** Pause between two tries, in ms; 200 when not given. */
  interval?: number;
  /** Called with the reason why a try failed. It may throw to give up, e.g. when the container no longer runs. */
  onRetry?: (error: unknown) => void | Promise<void>;
}

/**
 * Dials until a daemon answers Control.Info, and hands over that connection. A daemon that does not know Info counts as
 * alive (buildkit client.Wait).
 *
 * @throws DeadlineError when none answered in time, with the last failure as its `cause`; what `onRetry` throws.
 */
export async function waitReady(dial: Dial, options: WaitReadyOptions = {}): Promise<BuildkitClient> {
  const given = readOptions("waitReady()", options, waitReadyKinds);
  const { milliseconds = 20_000, interval = 200, onRetry, windows, signal } = given;
  let last: unknown;
  try {
    return await withDeadline(signal, milliseconds, "waiting for buildkitd", async (within) => {
      for (;;) {
        try {
          return await connectOnce(dial, { windows, signal: within });
        } catch (error) {
          if (within.aborted) throw abortError(within);
          last = error;
          await onRetry?.(error);
        }
        await sleep(interval, within);
      }
    });
  } catch (error) {
    if (isSlipwayError(error, "DEADLINE") && error.cause === undefined) {
      Object.defineProperty(error, "cause", { value: last, configurable: true });
    }
    throw error;
  }
}

async function connectOnce(dial: Dial, options: BuildkitConnectOptions): Promise<BuildkitClient> {
  const client = await BuildkitClient.connect(dial, options);
  try {
    await client.info({ signal: options.signal });
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}
