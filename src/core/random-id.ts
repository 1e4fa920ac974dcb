import { randomBytes } from "node:crypto";

/** A random id as BuildKit makes them for builds, sessions and stores: 25 characters of base 36 (BK identity/randomid.go). */
export function randomId(): string {
  // The top bit is set so that the text always has the same length.
  const number = BigInt(`0x${randomBytes(17).toString("hex")}`) | (1n << 135n);
  return number.toString(36).slice(1, 26);
}
