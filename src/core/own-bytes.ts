/** Buffers up to this size are no burden, whatever part of them is kept. */
const small = 256 * 1024;

/**
 * Bytes that are to be kept longer than the message they came in: the same ones, or a copy where they would keep a buffer
 * that is many times larger. A peer may put one byte of use into each message of 16 MiB.
 */
export function ownBytes<T extends Uint8Array>(bytes: T): T {
  const { byteLength: held } = bytes.buffer;
  if (held <= small || held <= 2 * bytes.byteLength) return bytes;
  // Not from node's pool, which would be kept by it.
  const copy = Buffer.allocUnsafeSlow(bytes.byteLength);
  copy.set(bytes);
  return copy as Uint8Array as T;
}
