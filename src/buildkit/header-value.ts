/** A text as gRPC metadata carries it, and whether it had to be escaped for that. */
export interface HeaderValue {
  value: string;
  encoded: boolean;
}

/**
 * A text of any characters for gRPC metadata, which is printable ASCII without blanks at its ends (PROTOCOL-HTTP2.md,
 * "ASCII-Value"): as it is where it can be, else escaped as in a URL's query (BuildKit session/header.go). Daemons of
 * 0.33 and later are told so by a second header; older ones see the escaped text.
 */
export function toHeaderValue(text: string): HeaderValue {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$|^$/.test(text)) return { value: text, encoded: false };
  // Go's QueryEscape: all but letters, digits and -_.~ is escaped, a blank is a plus.
  const value = encodeURIComponent(Buffer.from(text).toString())
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
  return { value, encoded: true };
}
