import { type ByteString, decodeRune, replacement } from "./bytes.js";

/** One element of a glob between stars: a literal byte, any one code point but `/`, or a class. */
type Element =
  | { kind: "byte"; byte: number }
  | { kind: "any" }
  | { kind: "class"; negated: boolean; ranges: [number, number][] };

/**
 * Matches one name as Go's `filepath.Match` does. `undefined` when the pattern is malformed; like Go (1.26), which looks
 * at a part between stars only when the parts before it match.
 */
export function matchGlob(pattern: ByteString, name: ByteString): boolean | undefined {
  let at = 0;
  const chunks = splitAtStars(pattern);
  for (const [i, text] of chunks.entries()) {
    const last = i === chunks.length - 1;
    const chunk = parseChunk(text);
    if (!chunk) return undefined;
    // The first place is enough for all but the last chunk, which must end with the name. Stars do not cross a `/`.
    const fits = (end: number) => end >= 0 && (!last || end === name.length);
    let end = matchChunk(chunk, name, at);
    while (!fits(end)) {
      const starred = i > 0;
      if (!starred || at >= name.length || name[at] === "/") return false;
      end = matchChunk(chunk, name, ++at);
    }
    at = end;
  }
  return at === name.length;
}

/** True when moby/patternmatcher accepts the pattern: it tries it on the name `.` and looks for an error. */
export function isValidGlob(pattern: ByteString): boolean {
  return matchGlob(pattern, ".") !== undefined;
}

/** The parts between stars. Stars inside of brackets do not count, and neighbours count as one. */
function splitAtStars(pattern: ByteString): ByteString[] {
  const chunks: ByteString[] = [];
  let start = 0;
  let inClass = false;
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at];
    if (char === "\\") at++;
    else if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    else if (char === "*" && !inClass) {
      chunks.push(pattern.slice(start, at));
      while (pattern[at + 1] === "*") at++;
      start = at + 1;
    }
  }
  return [...chunks, pattern.slice(start)];
}

function parseChunk(text: ByteString): Element[] | undefined {
  const chunk: Element[] = [];
  for (let at = 0; at < text.length;) {
    const char = text[at];
    if (char === "?") {
      chunk.push({ kind: "any" });
      at++;
    } else if (char === "[") {
      const parsed = parseClass(text, at + 1);
      if (!parsed) return undefined;
      chunk.push(parsed.element);
      at = parsed.next;
    } else {
      if (char === "\\" && ++at === text.length) return undefined;
      chunk.push({ kind: "byte", byte: text.charCodeAt(at++) });
    }
  }
  return chunk;
}

function parseClass(pattern: ByteString, start: number): { element: Element; next: number } | undefined {
  let at = start;
  const negated = pattern[at] === "^";
  if (negated) at++;
  const ranges: [number, number][] = [];
  // A class has to end within its chunk.
  const member = (): number | undefined => {
    if (at >= pattern.length || pattern[at] === "-" || pattern[at] === "]") return undefined;
    if (pattern[at] === "\\" && ++at >= pattern.length) return undefined;
    const { rune, width } = decodeRune(pattern, at);
    if (rune === replacement && width === 1) return undefined;
    at += width;
    return at < pattern.length ? rune : undefined;
  };
  for (;;) {
    if (pattern[at] === "]" && ranges.length > 0) break;
    const low = member();
    if (low === undefined) return undefined;
    let high: number | undefined = low;
    if (pattern[at] === "-") {
      at++;
      high = member();
      if (high === undefined) return undefined;
    }
    ranges.push([low, high]);
  }
  return { element: { kind: "class", negated, ranges }, next: at + 1 };
}

/** Where the chunk's match ends when it starts at `at`, -1 when it does not match there. */
function matchChunk(chunk: Element[], name: ByteString, at: number): number {
  for (const element of chunk) {
    if (at >= name.length) return -1;
    if (element.kind === "byte") {
      if (name.charCodeAt(at++) !== element.byte) return -1;
      continue;
    }
    const { rune, width } = decodeRune(name, at);
    if (element.kind === "any") {
      if (rune === 0x2f) return -1;
    } else {
      const within = element.ranges.some(([low, high]) => low <= rune && rune <= high);
      if (within === element.negated) return -1;
    }
    at += width;
  }
  return at;
}
