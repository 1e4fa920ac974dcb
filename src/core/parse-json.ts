/**
 * Deepest JSON taken. What people and programs write is some dozen deep; Go's own limit is 10,000, at which walking the value
 * again, as JSON.stringify does, is near the end of a JavaScript stack.
 */
export const deepestJson = 1000;

/** Most values of one text: each takes two bytes of it, and up to a hundred as an object. */
const mostValues = 1_000_000;

/**
 * `JSON.parse` for texts from outside: what is nested deeper than {@link deepestJson}, or has a
 * million values, is refused like a mistake in the text,
 * since whoever walks or prints the value would run out of stack.
 *
 * @throws SyntaxError
 */
export function parseJson(text: string): unknown {
  if (text.length > deepestJson) checkShape(text);
  return JSON.parse(text);
}

const quote = 0x22;
const backslash = 0x5c;

/**
 * Refuses a text, of one JSON value or several, that is nested too deep or has more values than `most`. Texts that are no
 * JSON may pass; JSON.parse finds those.
 *
 * @throws SyntaxError
 */
export function checkShape(text: string, most = mostValues): void {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      for (at++; at < text.length && text.charCodeAt(at) !== quote; at++)
        if (text.charCodeAt(at) === backslash) at++;
    } else if (code === 0x7b || code === 0x5b) {
      values++;
      if (++depth > deepestJson) throw new SyntaxError(`the JSON is nested more than ${deepestJson} deep`);
    } else if (code === 0x7d || code === 0x5d) depth--;
    else if (code === 0x2c) values++;
    if (values > most) throw new SyntaxError(`the JSON has more than ${most} values`);
  }
}
