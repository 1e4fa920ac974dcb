import type { Socket } from "node:net";
import { holdStream } from "./hold-stream.js";
import { abortError, linkSignal, throwIfAborted } from "./signals.js";

/** How long a connection may take, and what it is called when it takes longer. */
export interface ConnectSocketOptions {
  /** The event that says it is there; default `connect`. */
  ready?: "connect" | "secureConnect";
  milliseconds: number;
  /** For {@link DeadlineError}: `connecting to …`. */
  what: string;
  signal: AbortSignal | undefined;
}

/**
 * Opens a socket and gives it when it is connected. One that fails, is late or is not wanted any more is destroyed. It may break
 * before its caller listens: see {@link holdStream}.
 *
 * @throws AbortedError; DeadlineError; what `open` or the socket fails with
 */
export async function connectSocket<S extends Socket>(
  open: () => S,
  { ready = "connect", milliseconds, what, signal }: ConnectSocketOptions,
): Promise<S> {
  throwIfAborted(signal);
  using linked = linkSignal(signal, { milliseconds, what });
  const socket = holdStream(open());
  let detach = () => {};
  try {
    await new Promise<void>((resolve, reject) => {
      const onClose = () => reject(new Error("the connection was closed"));
      socket.on(ready, resolve).on("error", reject).on("close", onClose);
      detach = () => socket.off(ready, resolve).off("error", reject).off("close", onClose);
      linked.signal.addEventListener("abort", () => reject(abortError(linked.signal)), { once: true });
    });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    detach();
  }
}
