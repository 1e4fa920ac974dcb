import { InvalidArgumentError } from "../core/index.js";
import { type ByteString, displayPath, isAscii, toGoText } from "./bytes.js";
import { isValidGlob } from "./glob.js";
import { type TextMatcher, compileGoRegexp } from "./go-regexp.js";
import { cleanPath } from "./paths.js";

/** One line of a pattern list, cleaned as moby/patternmatcher's New does. */
export interface Pattern {
  /** Without the `!`. */
  text: ByteString;
  /** True for `!pattern`: a match takes the path out again. */
  exclusion: boolean;
}

/** How a pattern is compared (moby/patternmatcher, matchType). */
export type PatternTest =
  | { kind: "exact"; text: ByteString }
  | { kind: "prefix"; text: ByteString }
  /** `**` + text; with a leading `/` the rest alone matches too. */
  | { kind: "suffix"; text: ByteString }
  | { kind: "regexp"; text: ByteString; regexp: TextMatcher }
  /** Accepted by the syntax check and refused by the regexp compiler: an error for every path that gets here. */
  | { kind: "invalid"; text: ByteString };

// Unicode's White_Space as UTF-8 bytes, what Go's strings.TrimSpace takes away.
const space = String.raw`[\t\n\v\f\r ]|\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80`;
const leadingSpace = new RegExp(`^(?:${space})+`);
const lastSpace = new RegExp(`(?:${space})$`);

/** Go's `strings.TrimSpace` on UTF-8 bytes. */
export function trimSpace(bytes: ByteString): ByteString {
  let text = bytes.replace(leadingSpace, "");
  // One after the other: `(?:…)+$` tries again from each of a long run. Three bytes are the longest.
  for (;;) {
    const space = lastSpace.exec(text.slice(-3))?.[0];
    if (space === undefined) return text;
    text = text.slice(0, -space.length);
  }
}

/** The error of a pattern that Go's patternmatcher refuses; Go's text is `syntax error in pattern`. */
export function invalidPattern(text: ByteString): InvalidArgumentError {
  return new InvalidArgumentError(`syntax error in pattern "${displayPath(text)}"`);
}

/**
 * Reads a pattern list: blank lines dropped, paths cleaned, `!` split off.
 * @throws InvalidArgumentError for a lone `!` and for what Go's `filepath.Match` calls a bad pattern.
 */
export function parsePatterns(lines: readonly ByteString[]): Pattern[] {
  const patterns: Pattern[] = [];
  for (const line of lines) {
    const trimmed = trimSpace(line);
    if (trimmed === "") continue;
    let text = cleanPath(trimmed);
    if (text === "!") throw new InvalidArgumentError('illegal exclusion pattern: "!"');
    const exclusion = text.startsWith("!");
    if (exclusion) text = text.slice(1);
    if (!isValidGlob(text)) throw invalidPattern(text);
    patterns.push({ text, exclusion });
  }
  return patterns;
}

/** Chooses the comparison for a cleaned pattern, by the steps of patternmatcher's compile. */
export function compilePattern(text: ByteString): PatternTest {
  if (isAscii(text) && !/[*?[\]\\]/.test(text)) return { kind: "exact", text };
  const { kind, source } = toRegexp(text);
  if (kind === "exact") return { kind, text };
  if (kind === "prefix") return { kind, text: text.slice(0, -2) };
  if (kind === "suffix") return { kind, text: text.slice(2) };
  const regexp = compileGoRegexp(source);
  return regexp ? { kind, text, regexp } : { kind: "invalid", text };
}

/** A pattern as a regexp, and the simplest comparison that says the same. */
function toRegexp(text: ByteString): { kind: "exact" | "prefix" | "suffix" | "regexp"; source: string } {
  // Go's scanner drops a byte order mark and turns stray bytes into U+FFFD before the regexp is made.
  const chars = Array.from(toGoText(text).replace(/^\ufeff/, ""));
  let source = "^";
  let kind: "exact" | "prefix" | "suffix" | "regexp" = "exact";
  for (let i = 0, first = true; i < chars.length; first = false) {
    const char = chars[i++] as string;
    if (char === "*" && chars[i] === "*") {
      i++;
      if (chars[i] === "/") i++; // `**/` is `**` that also matches no directory at all
      if (i < chars.length) {
        source += "(.*/)?";
        kind = "regexp";
      } else if (kind === "exact") {
        kind = "prefix";
      } else {
        source += ".*";
        kind = "regexp";
      }
      if (first) kind = "suffix";
    } else if (char === "*" || char === "?") {
      source += char === "*" ? "[^/]*" : "[^/]";
      kind = "regexp";
    } else if (".+()$".includes(char)) {
      source += `\\${char}`;
    } else if (char === "\\") {
      source += "\\";
      if (i === chars.length) continue;
      source += chars[i++];
      kind = "regexp";
    } else {
      source += char;
      if (char === "[" || char === "]") kind = "regexp";
    }
  }
  return { kind, source: `${source}$` };
}
