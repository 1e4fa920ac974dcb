import type { HeaderList } from "./wire/index.js";

/** Headers of a call by name. Values given as a list are sent as separate headers. */
export type RequestHeaders = Readonly<Record<string, string | number | readonly string[] | undefined>>;

// oxlint-disable-next-line no-control-regex
const unfit = /[\0\r\n]|[^\0-\xff]/;

/** What goes out for a call: pseudo-headers first, as HTTP/2 wants them. @throws TypeError for a value that cannot be sent */
export function requestHeaders(authority: string, given: RequestHeaders): HeaderList {
  const headers: RequestHeaders = {
    ":method": "POST",
    ":scheme": "http",
    ":authority": authority,
    te: "trailers",
    ...given,
  };
  const pseudo: string[] = [];
  const plain: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    const list = name.startsWith(":") ? pseudo : plain;
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [String(value)]) {
      if (unfit.test(one)) throw new TypeError(`a header has a character that cannot be sent: ${name}`);
      list.push(name.toLowerCase(), one);
    }
  }
  return [...pseudo, ...plain];
}
