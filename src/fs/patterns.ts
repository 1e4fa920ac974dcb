import { InvalidArgumentError } from "../core/index.js";
import { type ByteString, displayPath, trimEndOf } from "./bytes.js";
import { type Pattern, parsePatterns } from "./pattern.js";
import { PatternSet } from "./pattern-set.js";

/**
 * What a path's parents matched, one bit per run of patterns. Opaque: comes from {@link PatternMatcher.step} and goes
 * back into it for the path's children. A number while there are few runs.
 */
export type MatchMemo = number | Uint8Array;

/** Consecutive patterns of one polarity. */
interface Run {
  exclusion: boolean;
  set: PatternSet;
}

const maxBits = 30;
/** Steps of all regexps of a list, at most: each may be gone through for every character of every path. */
const mostSteps = 1_000_000;

/**
 * Matches paths against a list of patterns with moby/patternmatcher's semantics (v0.6.1): in order, the last match
 * wins, `!` takes out again, a match of a parent directory counts for all below it.
 *
 * Go walks the list for every path. The outcome depends only on which *run* of equal polarity matches, so the state
 * kept per directory is one bit a run, and inside a run patterns are looked up ({@link PatternSet}).
 */
export class PatternMatcher {
  /** The patterns in order, cleaned. */
  readonly patterns: readonly Pattern[];
  /** True when there is any `!` pattern. */
  readonly hasExclusions: boolean;
  readonly #runs: Run[] = [];

  /** @throws InvalidArgumentError for a malformed pattern, as Go's New does. */
  constructor(lines: readonly ByteString[]) {
    this.patterns = parsePatterns(lines);
    this.hasExclusions = this.patterns.some((pattern) => pattern.exclusion);
    let size = 0;
    for (const { text, exclusion } of this.patterns) {
      let run = this.#runs.at(-1);
      if (!run || run.exclusion !== exclusion) this.#runs.push((run = { exclusion, set: new PatternSet() }));
      const before = run.set.size;
      run.set.add(text);
      size += run.set.size - before;
      if (size > mostSteps)
        throw new InvalidArgumentError(
          `the patterns are too large: written out they have more than ${mostSteps} steps at "${displayPath(text)}"`,
        );
    }
  }

  /**
   * True when the path or one of its parents matches and no later `!` pattern does (Go: MatchesOrParentMatches).
   * @throws InvalidArgumentError when a pattern that passed the syntax check turns out to be broken.
   */
  matches(path: ByteString): boolean {
    let matched = false;
    for (const { exclusion, set } of this.#runs) {
      if (exclusion === matched && set.matchesWithParents(path)) matched = !matched;
    }
    return matched;
  }

  /**
   * Matches a path whose parent gave `parent`; `undefined` for a path without parents (Go: MatchesUsingParentResults).
   * Ask {@link isMatch} about the result, and hand it on for the children.
   */
  step(path: ByteString, parent: MatchMemo | undefined): MatchMemo {
    const runs = this.#runs;
    if (runs.length > maxBits) return this.#stepMany(path, parent as Uint8Array | undefined);
    const inherited = (parent as number | undefined) ?? 0;
    let memo = 0;
    let matched = false;
    for (let i = 0; i < runs.length; i++) {
      const { exclusion, set } = runs[i] as Run;
      const bit = 1 << i;
      if ((inherited & bit) !== 0 || (exclusion === matched && set.matches(path))) {
        memo |= bit;
        matched = !exclusion;
      }
    }
    return memo;
  }

  /** Whether a result of {@link step} means that the path matches. */
  isMatch(memo: MatchMemo): boolean {
    let last: number;
    if (typeof memo === "number") {
      if (memo === 0) return false;
      last = 31 - Math.clz32(memo);
    } else {
      last = memo.lastIndexOf(1);
      if (last < 0) return false;
    }
    return !(this.#runs[last] as Run).exclusion;
  }

  #stepMany(path: ByteString, parent: Uint8Array | undefined): Uint8Array {
    const memo = new Uint8Array(this.#runs.length);
    let matched = false;
    this.#runs.forEach(({ exclusion, set }, i) => {
      if (parent?.[i] === 1 || (exclusion === matched && set.matches(path))) {
        memo[i] = 1;
        matched = !exclusion;
      }
    });
    return memo;
  }
}

/**
 * The directories that patterns without wildcards lead into, so that all others need not be walked. `undefined` when a
 * pattern has wildcards before its end, and every directory may hold a match (fsutil filter.go, onlyPrefixIncludes).
 */
export function leadingDirs(patterns: readonly Pattern[]): Set<ByteString> | undefined {
  const dirs = new Set<ByteString>();
  for (const { text } of patterns) {
    const stem = trimEndOf(trimEndOf(text, "/**"), "/*");
    if (/[*[\]?^\\]/.test(stem)) return undefined;
    dirs.add(stem);
    for (let slash = stem.indexOf("/"); slash >= 0; slash = stem.indexOf("/", slash + 1)) {
      dirs.add(stem.slice(0, slash));
    }
  }
  return dirs;
}
