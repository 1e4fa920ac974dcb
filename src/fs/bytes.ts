/**
 * A string of bytes: every character stands for one byte (U+0000 … U+00FF). File names are not always UTF-8, so all paths and
 * patterns of this folder are byte strings: they compare with `<` in byte order, hash fast and take one byte a
 * character. ASCII text is its own byte string; {@link toBytes} and {@link toText} convert the rest.
 */
export type ByteString = string;

const nonAscii = /[^\0-\x7f]/;

/** True when text and byte string are the same thing. */
export function isAscii(text: string): boolean {
  return !nonAscii.test(text);
}

/** The UTF-8 bytes of a text. */
export function toBytes(text: string): ByteString {
  return isAscii(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

/** The text of UTF-8 bytes; what is not UTF-8 becomes U+FFFD, so this is for display and for nothing else. */
export function toText(bytes: ByteString): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, "latin1").toString("utf8");
}

/** The path in the form that node:fs takes without changing a byte. */
export function toPath(bytes: ByteString): string | Buffer {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, "latin1");
}

/** The path for messages: valid UTF-8 as it is, control characters and stray bytes as `\x0a`. */
export function displayPath(bytes: ByteString): string {
  let shown = "";
  for (const { rune, width, at } of runes(bytes)) {
    const stray = rune === replacement && width === 1;
    if (stray || rune < 0x20 || (rune >= 0x7f && rune < 0xa0)) {
      for (let i = at; i < at + width; i++) {
        shown += `\\x${bytes.charCodeAt(i).toString(16).padStart(2, "0")}`;
      }
    } else {
      shown += String.fromCodePoint(rune);
    }
  }
  return shown;
}

/** What Go's utf8 package gives for a byte that is not part of valid UTF-8. */
export const replacement = 0xfffd;

/** The code points of a byte string as Go's `range` gives them: every stray byte is one U+FFFD of width 1. */
export function* runes(bytes: ByteString): Generator<{ rune: number; width: number; at: number }> {
  for (let at = 0; at < bytes.length;) {
    const { rune, width } = decodeRune(bytes, at);
    yield { rune, width, at };
    at += width;
  }
}

/** Text in which every stray byte is one U+FFFD, as Go's regexp package sees the bytes. */
export function toGoText(bytes: ByteString): string {
  if (isAscii(bytes)) return bytes;
  const text = Buffer.from(bytes, "latin1").toString("utf8");
  if (!text.includes("\ufffd")) return text;
  let exact = "";
  for (const { rune } of runes(bytes)) exact += String.fromCodePoint(rune);
  return exact;
}

/** Decodes one code point at `at` as Go's `utf8.DecodeRuneInString` does. */
export function decodeRune(bytes: ByteString, at: number): { rune: number; width: number } {
  const first = bytes.charCodeAt(at);
  if (first < 0x80) return { rune: first, width: 1 };
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  const stray = { rune: replacement, width: 1 };
  if (first < 0xc2 || first > 0xf4 || at + length > bytes.length) return stray;
  let rune = first & (0xff >> (length + 1));
  for (let i = 1; i < length; i++) {
    const next = bytes.charCodeAt(at + i);
    if ((next & 0xc0) !== 0x80) return stray;
    rune = (rune << 6) | (next & 0x3f);
  }
  const overlong = rune < (length === 4 ? 0x10000 : length === 3 ? 0x800 : 0x80);
  if (overlong || rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff)) return stray;
  return { rune, width: length };
}

/** The string without `ending`, if it ends so (Go: strings.TrimSuffix). */
export function trimEndOf(bytes: ByteString, ending: ByteString): ByteString {
  return bytes.endsWith(ending) ? bytes.slice(0, bytes.length - ending.length) : bytes;
}
