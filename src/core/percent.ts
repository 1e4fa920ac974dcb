import { InvalidArgumentError } from "./errors.js";

/**
 * The text that `%XX` of a URL stand for.
 *
 * @throws InvalidArgumentError for a `%` without two hex digits, in the words of Go's `url.PathUnescape`, and for bytes that are
 * not UTF-8.
 */
export function percentDecode(text: string): string {
  const bytes = percentDecodeBytes(text);
  const decoded = bytes.toString();
  if (!Buffer.from(decoded).equals(bytes))
    throw new InvalidArgumentError(`the URL escapes of ${JSON.stringify(text)} are not UTF-8`);
  return decoded;
}

/** {@link percentDecode} for what need not be text. */
export function percentDecodeBytes(text: string): Buffer {
  const wrong = /%(?![0-9A-Fa-f]{2}).{0,2}/su.exec(text);
  if (wrong) throw new InvalidArgumentError(`invalid URL escape ${JSON.stringify(wrong[0])}`);
  const bytes = Buffer.from(text);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const isEscape = bytes[at] === 0x25;
    bytes[length++] = isEscape
      ? parseInt(bytes.toString("latin1", at + 1, at + 3), 16)
      : (bytes[at] as number);
    if (isEscape) at += 2;
  }
  return bytes.subarray(0, length);
}
