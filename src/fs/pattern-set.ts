import { type ByteString, isAscii, toGoText } from "./bytes.js";
import { baseOf } from "./paths.js";
import { type PatternTest, compilePattern, invalidPattern } from "./pattern.js";
import type { TextMatcher } from "./go-regexp.js";

/** A regexp with the literal text that every match begins and ends with, to rule out most paths without it. */
interface Candidate {
  head: string;
  tail: string;
  /** Set when the pattern is one star between head and tail: then no regexp is needed. `base`: below any directory. */
  star?: "path" | "base";
  regexp: TextMatcher;
}

/**
 * Patterns of one polarity, of which any may match. The order inside does not matter then, so they are looked up
 * instead of tried one by one: thousands of plain lines cost as much as one.
 */
export class PatternSet {
  readonly #exact = new Set<ByteString>();
  /** `dir/**`, as `dir`. */
  readonly #below = new Set<ByteString>();
  /** `**\/name`, as `name`. */
  readonly #bases = new Set<ByteString>();
  readonly #prefixes = new Map<number, Set<ByteString>>();
  readonly #suffixes = new Map<number, Set<ByteString>>();
  readonly #wholeTails = new Set<ByteString>();
  readonly #byFirstDir = new Map<ByteString, Candidate[]>();
  readonly #byLastChar: (Candidate[] | undefined)[] = [];
  readonly #others: Candidate[] = [];
  /** Steps of all its regexps. */
  size = 0;
  #everything = false;
  #invalid: ByteString | undefined;

  /** Adds the next pattern in order. Nothing after one that Go fails on is ever looked at, so it is not kept. */
  add(text: ByteString): void {
    if (this.#invalid !== undefined) return;
    const test = compilePattern(text);
    switch (test.kind) {
      case "exact":
        this.#exact.add(text);
        return;
      case "prefix":
        if (test.text.endsWith("/")) this.#below.add(test.text.slice(0, -1));
        else addByLength(this.#prefixes, test.text);
        return;
      case "suffix":
        this.#addSuffix(test.text);
        return;
      case "regexp":
        this.#addCandidate(test);
        return;
      case "invalid":
        this.#invalid = text;
    }
  }

  /**
   * True when any of the patterns matches the path itself (not its parents).
   * @throws InvalidArgumentError when no pattern matches and one is broken.
   */
  matches(path: ByteString): boolean {
    return this.#finds(path) || this.#nothing();
  }

  /** As {@link matches}, for the path and all directories above it. */
  matchesWithParents(path: ByteString): boolean {
    if (this.#finds(path)) return true;
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
      if (this.#finds(path.slice(0, slash))) return true;
    }
    return this.#nothing();
  }

  #nothing(): false {
    if (this.#invalid !== undefined) throw invalidPattern(this.#invalid);
    return false;
  }

  #finds(path: ByteString): boolean {
    if (this.#everything || this.#exact.has(path)) return true;
    if (this.#bases.size > 0 && this.#bases.has(baseOf(path))) return true;
    if (this.#below.size > 0 && this.#hasParentIn(path)) return true;
    if (this.#prefixes.size > 0) {
      for (const [length, texts] of this.#prefixes) if (texts.has(path.slice(0, length))) return true;
    }
    if (this.#suffixes.size > 0) {
      for (const [length, texts] of this.#suffixes) {
        if (path.length >= length && texts.has(path.slice(path.length - length))) return true;
      }
    }
    return this.#wholeTails.has(path) || this.#matchesCandidate(path);
  }

  #addSuffix(suffix: ByteString): void {
    if (suffix === "") {
      this.#everything = true;
    } else if (suffix.startsWith("/") && suffix.length > 1 && !suffix.includes("/", 1)) {
      this.#bases.add(suffix.slice(1));
    } else {
      addByLength(this.#suffixes, suffix);
      if (suffix.startsWith("/")) this.#wholeTails.add(suffix.slice(1));
    }
  }

  #hasParentIn(path: ByteString): boolean {
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
      if (this.#below.has(path.slice(0, slash))) return true;
    }
    return false;
  }

  #addCandidate({ text, regexp }: PatternTest & { kind: "regexp" }): void {
    this.size += regexp.size;
    const candidate = { ...literalEnds(text), regexp };
    const { head, tail } = candidate;
    const slash = head.indexOf("/");
    if (slash > 0 && candidate.star !== "base") {
      const dir = head.slice(0, slash);
      const list = this.#byFirstDir.get(dir);
      if (list) list.push(candidate);
      else this.#byFirstDir.set(dir, [candidate]);
    } else if (tail !== "") {
      (this.#byLastChar[tail.charCodeAt(tail.length - 1)] ??= []).push(candidate);
    } else {
      this.#others.push(candidate);
    }
  }

  #matchesCandidate(path: ByteString): boolean {
    if (this.#byFirstDir.size > 0) {
      const slash = path.indexOf("/");
      const list = slash > 0 ? this.#byFirstDir.get(path.slice(0, slash)) : undefined;
      if (list?.some((candidate) => matchesOne(candidate, path))) return true;
    }
    const list = this.#byLastChar[path.charCodeAt(path.length - 1)];
    if (list) for (const candidate of list) if (matchesOne(candidate, path)) return true;
    for (const candidate of this.#others) if (matchesOne(candidate, path)) return true;
    return false;
  }
}

function matchesOne({ head, tail, star, regexp }: Candidate, path: ByteString): boolean {
  if (!path.endsWith(tail)) return false;
  if (star === "path") {
    const middle = path.length - tail.length;
    if (middle < head.length || !path.startsWith(head)) return false;
    const slash = path.indexOf("/", head.length);
    return slash < 0 || slash >= middle;
  }
  // `.*` does not cross a line feed, so a name that has one is left to the regexp.
  if (star === "base" && !path.includes("\n")) {
    const base = path.lastIndexOf("/") + 1;
    return path.length - base >= head.length + tail.length && path.startsWith(head, base);
  }
  if (star === undefined && !path.startsWith(head)) return false;
  return regexp.test(isAscii(path) ? path : toGoText(path));
}

/** The literal text before the first and after the last special character. Empty where a character is out of the ordinary. */
function literalEnds(text: ByteString): Pick<Candidate, "head" | "tail" | "star"> {
  if (/[\\|{}^]|[^\0-\x7f]/.test(text)) return { head: "", tail: "" };
  const single = /^(\*\*\/)?([^*?[\]]*)\*([^*?[\]]*)$/.exec(text);
  if (single) {
    const [, anywhere, head = "", tail = ""] = single;
    const star = anywhere === undefined ? "path" : "base";
    if (star === "path" || !/[/\n]/.test(head + tail)) return { head, tail, star };
  }
  return {
    head: /^[^*?[\]]*/.exec(text)?.[0] ?? "",
    tail: literalTail(text),
  };
}

function literalTail(text: ByteString): ByteString {
  let at = text.length;
  while (at > 0 && !"*?[]".includes(text.charAt(at - 1))) at--;
  // `**/` also stands for no directory, and then there is no slash either.
  return text.slice(at === text.length || !text.startsWith("**/", at - 2) || at < 2 ? at : at + 1);
}

function addByLength(map: Map<number, Set<ByteString>>, text: ByteString): void {
  const texts = map.get(text.length);
  if (texts) texts.add(text);
  else map.set(text.length, new Set([text]));
}
