import type { RegexpNode } from "./go-regexp-parse.js";

/** What one step of a program does; see {@link Program}. */
export const ops = { rune: 0, fork: 1, begin: 2, end: 3, word: 4, notWord: 5, done: 6, jump: 7 } as const;

/**
 * A regular expression as steps, each two numbers: an operation, and for `rune` the number of its test, for `fork` where to go
 * as well as to the next step, for `jump` where to go instead. Repetitions are written out.
 */
export interface Program {
  steps: Int32Array;
  tests: readonly ((rune: number) => boolean)[];
  /** It asks about the characters beside a place (`\b`). */
  looksAround: boolean;
}

/**
 * Most steps of one program. Go bounds what is written out as well: 1,000 for one repetition, some 3 million steps in all
 * (regexp/syntax, `maxRepeat` and `maxSize`), which are too many to go through for every name of a tree.
 */
const mostSteps = 100_000;

/** The program of an expression; undefined when it would be too large. */
export function compileProgram(tree: RegexpNode): Program | undefined {
  const size = sizeOf(tree) + 1;
  if (size > mostSteps) return undefined;
  const writer = new Writer(size);
  writer.emit(tree);
  writer.add(ops.done, 0);
  return { steps: writer.steps, tests: writer.tests, looksAround: writer.looksAround };
}

/** Steps that a part takes, or some number above {@link mostSteps}. */
function sizeOf(node: RegexpNode): number {
  switch (node.kind) {
    case "set":
    case "assert":
      return 1;
    case "repeat": {
      const one = sizeOf(node.node);
      const more = node.max === Infinity ? one + 2 : (node.max - node.min) * (one + 1);
      return node.min * one + more;
    }
    default: {
      let size = node.kind === "alternate" ? 2 * node.nodes.length : 0;
      for (const child of node.nodes) {
        size += sizeOf(child);
        if (size > mostSteps) break;
      }
      return size;
    }
  }
}

class Writer {
  readonly steps: Int32Array;
  readonly tests: ((rune: number) => boolean)[] = [];
  looksAround = false;
  /** Written out copies of one set share its test. */
  readonly #testOf = new Map<RegexpNode, number>();
  #count = 0;

  constructor(size: number) {
    this.steps = new Int32Array(size * 2);
  }

  add(op: number, argument: number): number {
    const at = this.#count++;
    this.steps[at * 2] = op;
    this.steps[at * 2 + 1] = argument;
    return at;
  }

  emit(node: RegexpNode): void {
    switch (node.kind) {
      case "set":
        this.add(ops.rune, this.#test(node));
        return;
      case "assert":
        if (node.what === "word" || node.what === "notWord") this.looksAround = true;
        this.add(ops[node.what], 0);
        return;
      case "concat":
        for (const child of node.nodes) this.emit(child);
        return;
      case "alternate":
        this.#emitAlternate(node.nodes);
        return;
      case "repeat":
        this.#emitRepeat(node);
    }
  }

  /** Each branch begins with a fork to the next one, and ends with a jump behind the last. */
  #emitAlternate(nodes: readonly RegexpNode[]): void {
    const exits: number[] = [];
    for (const [index, child] of nodes.entries()) {
      const isLast = index === nodes.length - 1;
      const fork = isLast ? undefined : this.#fork();
      this.emit(child);
      if (isLast) break;
      exits.push(this.#jump());
      if (fork !== undefined) this.#point(fork);
    }
    for (const exit of exits) this.#point(exit);
  }

  #emitRepeat({ node, min, max }: RegexpNode & { kind: "repeat" }): void {
    for (let i = 0; i < min; i++) this.emit(node);
    if (max === Infinity) {
      const fork = this.#fork();
      this.emit(node);
      this.steps[this.#jump() * 2 + 1] = fork;
      this.#point(fork);
      return;
    }
    const exits: number[] = [];
    for (let i = min; i < max; i++) {
      exits.push(this.#fork());
      this.emit(node);
    }
    for (const exit of exits) this.#point(exit);
  }

  #fork(): number {
    return this.add(ops.fork, 0);
  }

  #jump(): number {
    return this.add(ops.jump, 0);
  }

  #point(from: number): void {
    this.steps[from * 2 + 1] = this.#count;
  }

  #test(node: RegexpNode & { kind: "set" }): number {
    let found = this.#testOf.get(node);
    if (found === undefined) {
      found = this.tests.push(runeTest(node)) - 1;
      this.#testOf.set(node, found);
    }
    return found;
  }
}

function runeTest({ ranges, negated, properties }: RegexpNode & { kind: "set" }): (rune: number) => boolean {
  // No more than one character is ever looked at by these.
  const classes = properties.map((property) => new RegExp(`^${property}$`, "u"));
  const test = (rune: number) =>
    (ranges.some(([low, high]) => low <= rune && rune <= high) ||
      classes.some((one) => one.test(String.fromCodePoint(rune)))) !== negated;
  // Asked by every written out copy of the set in turn.
  let asked = -1;
  let answer = false;
  return (rune) => {
    if (rune !== asked) answer = test((asked = rune));
    return answer;
  };
}
