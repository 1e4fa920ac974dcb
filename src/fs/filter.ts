import type { ByteString } from "./bytes.js";
import { dedupePaths, followLinks } from "./follow-links.js";
import { PatternMatcher, leadingDirs } from "./patterns.js";
import type { TreeSource } from "./tree-source.js";

/** Which entries of a tree are wanted. An absent and an empty list both mean no limit, except for `followPaths`. */
export interface FilterOptions {
  /** Only what matches one of these patterns, with its parents. */
  include?: readonly ByteString[] | undefined;
  /** Nothing that matches these patterns (a .dockerignore). */
  exclude?: readonly ByteString[] | undefined;
  /** Paths whose symbolic links are resolved inside the tree; what they lead to joins `include`. */
  followPaths?: readonly ByteString[] | undefined;
}

/** Compiled {@link FilterOptions}, with the rules for leaving out whole directories (fsutil filter.go). */
export class TreeFilter {
  readonly include: PatternMatcher | undefined;
  readonly exclude: PatternMatcher | undefined;
  /** Directories on the way to an include pattern; `undefined` when there may be matches anywhere. */
  readonly #includeDirs: Set<ByteString> | undefined;
  readonly #exceptionDirs: Set<ByteString> | undefined;

  /**
   * Compiles the lists; follow-paths are resolved in `source` now.
   * @throws InvalidArgumentError for a malformed pattern.
   */
  constructor(source: TreeSource, options: FilterOptions) {
    let include = options.include ?? [];
    if (options.followPaths) {
      const targets = followLinks(source, options.followPaths);
      // Go passes the joined, unsorted list through the same function again; the outcome is part of the behaviour.
      if (targets) include = dedupePaths([...include, ...targets]) ?? [];
    }
    if (include.length > 0) {
      this.include = new PatternMatcher(include);
      this.#includeDirs = leadingDirs(this.include.patterns.filter((pattern) => !pattern.exclusion));
    }
    if (options.exclude && options.exclude.length > 0) {
      this.exclude = new PatternMatcher(options.exclude);
      this.#exceptionDirs = leadingDirs(this.exclude.patterns.filter((pattern) => pattern.exclusion));
    }
  }

  /** True when nothing below a directory that does not match itself can match an include pattern. */
  holdsNoInclude(dir: ByteString): boolean {
    return this.#includeDirs !== undefined && !this.#includeDirs.has(dir);
  }

  /** True when nothing below an excluded directory can be taken in again by a `!` pattern. */
  holdsNoException(dir: ByteString): boolean {
    return this.#exceptionDirs !== undefined && !this.#exceptionDirs.has(dir);
  }
}
