import { Http1Error } from "./http1-error.js";

/** Header fields of an answer, names in lower case; an object without a prototype. */
export type AnswerHeaders = Record<string, string | string[] | undefined>;

/** How the end of a body is told (RFC 9112, 6.3). `rest` is what comes until the connection ends. */
export type Framing = { kind: "none" } | { kind: "length"; length: number } | { kind: "chunked" | "rest" };

const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: |$)/;
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Fewer than what a number holds exactly. */
const length = /^\d{1,15}$/;

/** What stands before an answer's body. */
export class AnswerHead {
  readonly status: number;
  readonly headers = Object.create(null) as AnswerHeaders;
  readonly #isOld: boolean;

  /** @throws Http1Error */
  constructor(line: string) {
    const [, minor, status] = statusLine.exec(line) ?? [];
    if (status === undefined) throw malformed("an answer that does not begin with a status line");
    this.status = Number(status);
    this.#isOld = minor === "0";
  }

  /** Takes the line of a header field. @throws Http1Error */
  add(line: string): void {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    // A line that continues the one before begins with white space: nobody sends such, and it is no token.
    if (!token.test(name)) throw malformed("a header line without a name");
    const value = line.slice(colon + 1).trim();
    if (value.includes("\0") || value.includes("\r")) throw malformed("a header with control characters");
    const key = name.toLowerCase();
    const before = this.headers[key];
    if (before === undefined) this.headers[key] = value;
    else if (typeof before === "string") this.headers[key] = [before, value];
    else before.push(value);
  }

  /** Whether the peer keeps the connection behind the body's end. */
  get staysOpen(): boolean {
    const options = listOf(this.headers["connection"]);
    return this.#isOld ? options.includes("keep-alive") : !options.includes("close");
  }

  /** Seconds for which the peer keeps an idle connection, if it says so. */
  get idleSeconds(): number | undefined {
    for (const hint of listOf(this.headers["keep-alive"])) {
      const seconds = /^timeout=(\d{1,6})$/.exec(hint)?.[1];
      if (seconds !== undefined) return Number(seconds);
    }
    return undefined;
  }

  /** @throws Http1Error when the headers contradict each other, as they do where answers are smuggled. */
  framing(method: string): Framing {
    const coding = listOf(this.headers["transfer-encoding"]);
    const lengths = listOf(this.headers["content-length"]);
    if (coding.length > 0 && lengths.length > 0) throw malformed("an answer of two lengths");
    if (coding.length > 0 && coding.join() !== "chunked")
      throw malformed(`an answer in the transfer coding ${coding.join()}`);
    if (!lengths.every((one) => length.test(one) && one === lengths[0]))
      throw malformed("an answer of no certain length");
    if (method === "HEAD" || this.status === 204 || this.status === 304) return { kind: "none" };
    if (coding.length > 0) return { kind: "chunked" };
    if (lengths.length === 0) return { kind: "rest" };
    return { kind: "length", length: Number(lengths[0]) };
  }
}

/** The answer is not HTTP. */
export function malformed(what: string): Http1Error {
  return new Http1Error("protocol", `the peer sent ${what}`);
}

function listOf(value: string | string[] | undefined): string[] {
  if (value === undefined) return [];
  return String(value)
    .split(",")
    .map((one) => one.trim().toLowerCase());
}
