import { timerDelay } from "../core/index.js";
import { Http2Error } from "./http2-error.js";
import type { Connection } from "./wire/index.js";

/** When a silent peer counts as dead. */
export interface KeepAliveOptions {
  /** A PING goes out after this many milliseconds without a byte; 15 000 when not given. */
  idleMilliseconds?: number;
  /** The connection fails when nothing came this many milliseconds after the PING; 60 000 when not given, 0 is never. */
  timeoutMilliseconds?: number;
}

/**
 * Watches a connection by the bytes it receives. Only for connections on which the peer speaks up regularly by itself:
 * grpc-go answers a client that pings more than once in 5 minutes with GOAWAY `too_many_pings`, and forgets the pings
 * it counted whenever it sends something (grpc-go internal/transport/http2_server.go handlePing).
 */
export function keepAlive(
  connection: Pick<Connection, "bytesReceived" | "ping" | "failure">,
  options: KeepAliveOptions,
  onDead: (error: Http2Error) => void,
): Disposable {
  const { idleMilliseconds = 15_000, timeoutMilliseconds = 60_000 } = options;
  if (timeoutMilliseconds === 0) return { [Symbol.dispose]() {} };
  let seen = connection.bytesReceived;
  let pinged = false;
  let late = false;
  let immediate: NodeJS.Immediate | undefined;
  let timer: NodeJS.Timeout;
  const check = () => {
    const now = connection.bytesReceived;
    if (now !== seen) {
      seen = now;
      pinged = false;
      late = false;
    } else if (pinged && !late) {
      // After a suspension of this process timers run before what has arrived meanwhile is read.
      late = true;
      immediate = setImmediate(check);
      return;
    } else if (pinged) {
      const text = `builder not responding: nothing came for ${(idleMilliseconds + timeoutMilliseconds) / 1000} s`;
      onDead(new Http2Error("HTTP2_NOT_RESPONDING", text));
      return;
    } else {
      pinged = connection.failure() === undefined;
      if (pinged) connection.ping();
    }
    timer = setTimeout(check, timerDelay(pinged ? timeoutMilliseconds : idleMilliseconds));
    timer.unref();
  };
  timer = setTimeout(check, timerDelay(idleMilliseconds));
  timer.unref();
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
      clearImmediate(immediate);
    },
  };
}
