/** What a regular expression is made of. */
export type PatternNode =
  | { readonly kind: "one"; readonly test: (char: string) => boolean }
  /** Looks at the characters on both sides of a place; `""` beyond the text. */
  | { readonly kind: "assert"; readonly holds: (before: string, after: string) => boolean }
  | { readonly kind: "all" | "either"; readonly nodes: readonly PatternNode[] }
  | {
      readonly kind: "repeat";
      readonly node: PatternNode;
      readonly min: number;
      readonly max: number;
      readonly isLazy: boolean;
    }
  /** Counted from 1. */
  | { readonly kind: "group"; readonly index: number; readonly node: PatternNode };

/** Where something was found; offsets are those of the text. */
export interface PatternMatch {
  readonly index: number;
  readonly text: string;
  /** What the groups found, the first one first. */
  readonly groups: readonly (string | undefined)[];
}

type Step =
  | { readonly op: "one"; readonly test: (char: string) => boolean }
  | { readonly op: "assert"; readonly holds: (before: string, after: string) => boolean }
  | { readonly op: "save"; readonly slot: number }
  /** Goes on in both places, and prefers the first. */
  | { readonly op: "fork"; first: number; second: number }
  | { readonly op: "done" };

/** Steps of an expression, at most: repetitions are written out. */
const mostSteps = 50_000;

/** One way through an expression, with where it has been. */
interface Way {
  readonly step: number;
  readonly slots: readonly number[];
}

/**
 * Finds what an expression matches by following all ways through it at once, those that it prefers first: the time is that of its
 * steps × the text at most, whatever the expression. Of several matches at a place it finds the one that a backtracking search
 * would find first, as Go's does.
 */
export class PatternMachine {
  readonly #steps: Step[] = [];
  readonly #slots: number;
  readonly #marks: Uint32Array;
  #round = 0;

  /** @throws RangeError when the expression is too large */
  constructor(node: PatternNode, groups: number) {
    this.#slots = (groups + 1) * 2;
    this.#emit({ kind: "group", index: 0, node });
    this.#push({ op: "done" });
    this.#marks = new Uint32Array(this.#steps.length);
  }

  /** All matches, none of which is empty right behind another. */
  *matches(text: string): Generator<PatternMatch> {
    const chars = Array.from(text);
    const offsets = [0];
    for (const char of chars) offsets.push((offsets.at(-1) as number) + char.length);
    let end = -1;
    for (let from = 0; from <= chars.length;) {
      const slots = this.#search(chars, from);
      if (!slots) return;
      const [start = 0, stop = 0] = slots;
      if (start !== stop || start !== end) {
        const between = (group: number) => {
          const [first = -1, last = -1] = slots.slice(group * 2, group * 2 + 2);
          return first < 0 || last < 0 ? undefined : text.slice(offsets[first], offsets[last]);
        };
        const groups = Array.from({ length: this.#slots / 2 - 1 }, (_, index) => between(index + 1));
        yield { index: offsets[start] as number, text: between(0) as string, groups };
      }
      end = stop;
      from = stop > start ? stop : stop + 1;
    }
  }

  #search(chars: readonly string[], from: number): readonly number[] | undefined {
    let found: readonly number[] | undefined;
    let ways: Way[] = [];
    for (let at = from; at <= chars.length; at++) {
      const round = this.#nextRound();
      const next: Way[] = [];
      // Ways that came here stand before one that begins here.
      const open: Way[] = [];
      for (const way of ways) this.#follow(way, at, chars, round, open);
      if (!found)
        this.#follow(
          { step: 0, slots: Array.from({ length: this.#slots }, () => -1) },
          at,
          chars,
          round,
          open,
        );
      for (const { step, slots } of open) {
        const { op, test } = this.#steps[step] as { op: string; test?: (char: string) => boolean };
        if (op === "done") {
          found = slots;
          break;
        }
        const char = chars[at];
        if (char !== undefined && test?.(char)) next.push({ step: step + 1, slots });
      }
      ways = next;
      if (ways.length === 0 && found) break;
    }
    return found;
  }

  /** Adds all that is reached from a way without eating a character, in order of preference. */
  #follow(way: Way, at: number, chars: readonly string[], round: number, open: Way[]): void {
    const waiting = [way];
    for (let one = waiting.pop(); one; one = waiting.pop()) {
      const { step, slots } = one;
      if (this.#marks[step] === round) continue;
      this.#marks[step] = round;
      const does = this.#steps[step] as Step;
      switch (does.op) {
        case "fork":
          waiting.push({ step: does.second, slots }, { step: does.first, slots });
          break;
        case "save":
          waiting.push({ step: step + 1, slots: slots.with(does.slot, at) });
          break;
        case "assert":
          if (does.holds(chars[at - 1] ?? "", chars[at] ?? "")) waiting.push({ step: step + 1, slots });
          break;
        default:
          open.push(one);
      }
    }
  }

  #nextRound(): number {
    if (++this.#round > 0xffff_fffe) {
      this.#marks.fill(0);
      this.#round = 1;
    }
    return this.#round;
  }

  #push(step: Step): number {
    if (this.#steps.length >= mostSteps) throw new RangeError("the expression is too large");
    return this.#steps.push(step) - 1;
  }

  #emit(node: PatternNode): void {
    switch (node.kind) {
      case "one":
        this.#push({ op: "one", test: node.test });
        break;
      case "assert":
        this.#push({ op: "assert", holds: node.holds });
        break;
      case "all":
        for (const part of node.nodes) this.#emit(part);
        break;
      case "either":
        this.#either(node.nodes);
        break;
      case "group":
        this.#push({ op: "save", slot: node.index * 2 });
        this.#emit(node.node);
        this.#push({ op: "save", slot: node.index * 2 + 1 });
        break;
      case "repeat":
        this.#repeat(node);
    }
  }

  /** Each but the last is tried before what follows. */
  #either(nodes: readonly PatternNode[]): void {
    const leaps: { second: number }[] = [];
    for (const [at, part] of nodes.entries()) {
      if (at === nodes.length - 1) this.#emit(part);
      else {
        const fork = this.#fork(false);
        this.#emit(part);
        leaps.push(this.#leap());
        fork.second = this.#steps.length;
      }
    }
    for (const leap of leaps) Object.assign(leap, { first: this.#steps.length, second: this.#steps.length });
  }

  #repeat({ node, min, max, isLazy }: Extract<PatternNode, { kind: "repeat" }>): void {
    for (let count = 0; count < min; count++) this.#emit(node);
    if (max === Infinity) {
      const at = this.#steps.length;
      const fork = this.#fork(isLazy);
      this.#emit(node);
      Object.assign(this.#leap(), { first: at, second: at });
      this.#close(fork, isLazy);
      return;
    }
    const forks = Array.from({ length: max - min }, () => {
      const fork = this.#fork(isLazy);
      this.#emit(node);
      return fork;
    });
    for (const fork of forks) this.#close(fork, isLazy);
  }

  /** A fork whose one way is the next step; the other is set when it is known. */
  #fork(isLazy: boolean): { first: number; second: number } {
    const next = this.#steps.length + 1;
    const fork: Extract<Step, { op: "fork" }> = { op: "fork", first: next, second: next };
    this.#push(fork);
    if (isLazy) fork.first = -1;
    return fork;
  }

  #close(fork: { first: number; second: number }, isLazy: boolean): void {
    if (isLazy) fork.first = this.#steps.length;
    else fork.second = this.#steps.length;
  }

  /** A fork that goes one way; where to is set when it is known. */
  #leap(): { first: number; second: number } {
    const leap: Extract<Step, { op: "fork" }> = { op: "fork", first: 0, second: 0 };
    this.#push(leap);
    return leap;
  }
}
