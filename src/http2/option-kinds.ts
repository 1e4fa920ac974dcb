import { kind, milliseconds, shape } from "../core/index.js";

const bytes = kind("a number of bytes", (value) => typeof value === "number" && value > 0);

/** Receive windows of HTTP/2. */
export const windowsKind = shape("an object of window sizes", { stream: bytes, connection: bytes }, [
  "stream",
  "connection",
]);
/** When a peer counts as dead. */
export const keepAliveKind = shape("an object of times", {
  idleMilliseconds: milliseconds,
  timeoutMilliseconds: milliseconds,
});
