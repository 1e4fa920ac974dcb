import { type ByteString, decodeRune, replacement } from "./bytes.js";

/** One element of a glob between stars: a literal byte, any one code point but `/`, or a class. */
type Element =
  | { kind: "byte"; byte: number }
  | { kind: "any" }
  | { kind: "class"; negated: boolean; ranges: [number, number][] };

/**
 * Matches one name as Go's `filepath.Match` does. `undefined` when the pattern is malformed, which Go reports however
 * the name looks.
 */
export function matchGlob(pattern: ByteString, name: ByteString): boolean | undefined {
  const chunks = parseGlob(pattern);
  return chunks && matchChunks(chunks, 0, name, 0);
}

/** True when Go's `filepath.Match` would accept the pattern's syntax. */
export function isValidGlob(pattern: ByteString): boolean {
  return parseGlob(pattern) !== undefined;
}

/** The pattern as runs of elements; between two runs stands a star. */
function parseGlob(pattern: ByteString): Element[][] | undefined {
  let chunk: Element[] = [];
  const chunks = [chunk];
  for (let at = 0; at < pattern.length;) {
    const char = pattern[at];
    if (char === "*") {
      chunks.push((chunk = []));
      while (pattern[at] === "*") at++;
    } else if (char === "?") {
      chunk.push({ kind: "any" });
      at++;
    } else if (char === "[") {
      const parsed = parseClass(pattern, at + 1);
      if (!parsed) return undefined;
      chunk.push(parsed.element);
      at = parsed.next;
    } else {
      if (char === "\\" && ++at === pattern.length) return undefined;
      chunk.push({ kind: "byte", byte: pattern.charCodeAt(at++) });
    }
  }
  return chunks;
}

function parseClass(pattern: ByteString, start: number): { element: Element; next: number } | undefined {
  let at = start;
  const negated = pattern[at] === "^";
  if (negated) at++;
  const ranges: [number, number][] = [];
  // A class ends before the end of its chunk or is malformed, so running off the pattern is an error everywhere.
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

/** Matches the chunks from `index` on, where every chunk but the first may start anywhere before the next `/`. */
function matchChunks(chunks: Element[][], index: number, name: ByteString, at: number): boolean {
  let from = matchChunk(chunks[index] ?? [], name, at);
  if (from < 0) return false;
  for (let i = index + 1; i < chunks.length; i++) {
    const chunk = chunks[i] ?? [];
    const last = i === chunks.length - 1;
    let start = from;
    let end = -1;
    // The first place is enough for all but the last chunk, which must end with the name.
    for (; ; start++) {
      end = matchChunk(chunk, name, start);
      if (end >= 0 && (!last || end === name.length)) break;
      if (start >= name.length || name[start] === "/") return false;
    }
    from = end;
  }
  return from === name.length;
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
