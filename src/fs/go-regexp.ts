import { type RegexpNode, parseGoRegexp } from "./go-regexp-parse.js";

/** Answers whether a text contains a match. */
export interface TextMatcher {
  test(text: string): boolean;
}

/**
 * Compiles a regular expression of Go's syntax. `undefined` where Go's `regexp.Compile` fails.
 *
 * Up to two open repetitions run as a JavaScript RegExp. More could backtrack for hours on a hostile name, with the
 * event loop blocked, so those run on a machine that is linear like Go's.
 */
export function compileGoRegexp(source: string): TextMatcher | undefined {
  const tree = parseGoRegexp(source);
  if (!tree) return undefined;
  return openRepetitions(tree) <= 2 ? new RegExp(toJavaScript(tree), "u") : new StateMachine(tree);
}

function openRepetitions(node: RegexpNode): number {
  switch (node.kind) {
    case "set":
    case "assert":
      return 0;
    case "repeat":
      return openRepetitions(node.node) + (node.max - node.min > 1 ? 1 : 0);
    default:
      return node.nodes.reduce((sum, child) => sum + openRepetitions(child), 0);
  }
}

function toJavaScript(node: RegexpNode): string {
  if (node.kind === "set") return setSource(node);
  if (node.kind === "assert") {
    return { begin: "(?:^)", end: "(?:$)", word: "(?:\\b)", notWord: "(?:\\B)" }[node.what];
  }
  if (node.kind === "concat") return node.nodes.map(toJavaScript).join("");
  if (node.kind === "alternate") return `(?:${node.nodes.map(toJavaScript).join("|")})`;
  return `(?:${toJavaScript(node.node)}){${node.min},${node.max === Infinity ? "" : node.max}}`;
}

function setSource(node: RegexpNode & { kind: "set" }): string {
  const hex = (rune: number) => `\\u{${rune.toString(16)}}`;
  const members = node.ranges.map(([low, high]) => (low === high ? hex(low) : `${hex(low)}-${hex(high)}`));
  return `[${node.negated ? "^" : ""}${members.join("")}${node.properties.join("")}]`;
}

type Step =
  | { op: "rune"; matches: (rune: number) => boolean }
  | { op: "assert"; what: "begin" | "end" | "word" | "notWord" }
  | { op: "fork"; to: number[] }
  | { op: "done" };

/** Follows all ways through the expression at once: time is steps × text, whatever the expression. */
class StateMachine implements TextMatcher {
  readonly #steps: Step[] = [];

  constructor(tree: RegexpNode) {
    this.#emit(tree);
    this.#steps.push({ op: "done" });
  }

  test(text: string): boolean {
    const runes = Array.from(text, (char) => char.codePointAt(0) as number);
    let states = new Set<number>();
    for (let at = 0; at <= runes.length; at++) {
      this.#enter(states, 0, runes, at);
      const next = new Set<number>();
      for (const state of states) {
        const step = this.#steps[state] as Step;
        if (step.op === "done") return true;
        const rune = runes[at];
        if (step.op === "rune" && rune !== undefined && step.matches(rune)) {
          this.#enter(next, state + 1, runes, at + 1);
        }
      }
      states = next;
    }
    return false;
  }

  /** Adds a state and all that is reached from it without eating a code point. */
  #enter(states: Set<number>, first: number, runes: number[], at: number): void {
    const open = [first];
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      if (states.has(state)) continue;
      states.add(state);
      const step = this.#steps[state] as Step;
      if (step.op === "fork") open.push(...step.to);
      else if (step.op === "assert" && holds(step.what, runes, at)) open.push(state + 1);
    }
  }

  #emit(node: RegexpNode): void {
    switch (node.kind) {
      case "set":
        this.#steps.push({ op: "rune", matches: runeTest(node) });
        return;
      case "assert":
        this.#steps.push({ op: "assert", what: node.what });
        return;
      case "concat":
        for (const child of node.nodes) this.#emit(child);
        return;
      case "alternate": {
        const fork = this.#fork();
        const exits: Step[] = [];
        for (const child of node.nodes) {
          fork.to.push(this.#steps.length);
          this.#emit(child);
          exits.push(this.#fork());
        }
        for (const exit of exits) (exit as { to: number[] }).to.push(this.#steps.length);
        return;
      }
      case "repeat":
        this.#emitRepeat(node);
    }
  }

  #emitRepeat({ node, min, max }: RegexpNode & { kind: "repeat" }): void {
    for (let i = 0; i < min; i++) this.#emit(node);
    if (max === Infinity) {
      const at = this.#steps.length;
      const fork = this.#fork();
      fork.to.push(this.#steps.length);
      this.#emit(node);
      this.#fork().to.push(at);
      fork.to.push(this.#steps.length);
      return;
    }
    const exits: { to: number[] }[] = [];
    for (let i = min; i < max; i++) {
      const fork = this.#fork();
      fork.to.push(this.#steps.length);
      exits.push(fork);
      this.#emit(node);
    }
    for (const exit of exits) exit.to.push(this.#steps.length);
  }

  #fork(): Step & { op: "fork" } {
    const fork: Step & { op: "fork" } = { op: "fork", to: [] };
    this.#steps.push(fork);
    return fork;
  }
}

function runeTest(node: RegexpNode & { kind: "set" }): (rune: number) => boolean {
  if (node.properties.length > 0) {
    const test = new RegExp(setSource(node), "u");
    return (rune) => test.test(String.fromCodePoint(rune));
  }
  const { ranges, negated } = node;
  return (rune) => ranges.some(([low, high]) => low <= rune && rune <= high) !== negated;
}

function holds(what: "begin" | "end" | "word" | "notWord", runes: number[], at: number): boolean {
  if (what === "begin") return at === 0;
  if (what === "end") return at === runes.length;
  return (isWord(runes[at - 1]) !== isWord(runes[at])) === (what === "word");
}

function isWord(rune: number | undefined): boolean {
  return rune !== undefined && /^[0-9A-Za-z_]$/.test(String.fromCodePoint(rune));
}
