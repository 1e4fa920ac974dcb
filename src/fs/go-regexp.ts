import { parseGoRegexp } from "./go-regexp-parse.js";
import { type Program, compileProgram, ops } from "./regexp-program.js";

/** Answers whether a text contains a match. */
export interface TextMatcher {
  test(text: string): boolean;
  /** Its size in steps, which counts towards the limit of a list of patterns. */
  readonly size: number;
}

/**
 * Compiles a regular expression of Go's syntax. `undefined` where Go's `regexp.Compile` fails, and where it is too large.
 *
 * It runs on a machine that is linear like Go's, never as a JavaScript RegExp: that can backtrack for hours on a hostile
 * name, with the event loop blocked.
 */
export function compileGoRegexp(source: string): TextMatcher | undefined {
  const tree = parseGoRegexp(source);
  const program = tree && compileProgram(tree);
  return program && new StateMachine(program);
}

/** All ways through a program that are open at one place of a text, and what is known of where they lead. */
interface State {
  /** `rune`, `end` and `word` steps that were reached. */
  open: number[];
  /** The end of the program was reached. */
  done: boolean;
  /** By code point, filled as texts come by; those of ASCII in a list, which is faster. */
  next: Map<number, State>;
  nextOfAscii: (State | undefined)[];
  doneAtEnd: boolean | undefined;
}

/** Most numbers that the states of all machines hold together. Beyond that they are dropped, and found anew. */
const mostRemembered = 400_000;
let remembered = 0;
let generation = 0;
const asciiEnd = 0x80;

/**
 * Follows all ways through the expression at once: time is steps × text at most, whatever the expression. Sets of ways that
 * were met before are remembered, so that the many names of a tree mostly cost one look a character.
 */
class StateMachine implements TextMatcher {
  readonly size: number;
  readonly #program: Program;
  readonly #marks: Uint32Array;
  #round = 0;
  #states = new Map<string, State>();
  #generation = generation;
  #first: State | undefined;

  constructor(program: Program) {
    this.#program = program;
    this.size = program.steps.length / 2;
    this.#marks = new Uint32Array(this.size);
  }

  test(text: string): boolean {
    if (this.#program.looksAround) return this.#testSlowly(text);
    if (this.#generation !== generation) this.#forget();
    let state = (this.#first ??= this.#stateOf(this.#closure([0], { begin: true, end: false })));
    for (let at = 0; at < text.length;) {
      if (state.done) return true;
      const rune = text.codePointAt(at) as number;
      at += rune > 0xffff ? 2 : 1;
      state =
        (rune < asciiEnd ? state.nextOfAscii[rune] : state.next.get(rune)) ?? this.#advance(state, rune);
    }
    return state.done || (state.doneAtEnd ??= this.#isDoneAtEnd(state));
  }

  #advance(state: State, rune: number): State {
    const next = this.#stateOf(this.#closure([...this.#after(state, rune), 0], { begin: false, end: false }));
    if (rune < asciiEnd) state.nextOfAscii[rune] = next;
    else state.next.set(rune, next);
    if (++remembered > mostRemembered) {
      remembered = 0;
      generation++;
      this.#forget();
    }
    return next;
  }

  #forget(): void {
    // One that is held on to must not hold the others.
    for (const state of this.#states.values()) {
      state.next.clear();
      state.nextOfAscii = [];
    }
    this.#states.clear();
    this.#first = undefined;
    this.#generation = generation;
  }

  #stateOf({ open, done }: { open: number[]; done: boolean }): State {
    // In the order of steps, which marks of one round do not keep.
    open.sort((a, b) => a - b);
    const key = `${done ? "+" : ""}${open.join()}`;
    let state = this.#states.get(key);
    if (!state) {
      state = { open, done, next: new Map(), nextOfAscii: [], doneAtEnd: undefined };
      this.#states.set(key, state);
      remembered += open.length + 32;
    }
    return state;
  }

  #isDoneAtEnd(state: State): boolean {
    return this.#closure(state.open, { begin: false, end: true }).done;
  }

  /** The steps behind those that take the code point. */
  *#after({ open }: { open: readonly number[] }, rune: number): Generator<number> {
    const { steps, tests } = this.#program;
    for (const step of open) {
      if (steps[step * 2] === ops.rune && tests[steps[step * 2 + 1] as number]?.(rune)) yield step + 1;
    }
  }

  /** All that is reached from the steps without eating a code point. */
  #closure(
    from: Iterable<number>,
    here: { begin: boolean; end: boolean; word?: boolean },
  ): { open: number[]; done: boolean } {
    const { steps } = this.#program;
    const marks = this.#marks;
    const round = this.#nextRound();
    const open: number[] = [];
    let done = false;
    const waiting = [...from];
    for (let step = waiting.pop(); step !== undefined; step = waiting.pop()) {
      if (marks[step] === round) continue;
      marks[step] = round;
      const op = steps[step * 2];
      const passes =
        (op === ops.begin && here.begin) ||
        (op === ops.end && here.end) ||
        (op === ops.word && here.word === true) ||
        (op === ops.notWord && here.word === false);
      if (op === ops.done) done = true;
      else if (op === ops.fork) waiting.push(step + 1, steps[step * 2 + 1] as number);
      else if (op === ops.jump) waiting.push(steps[step * 2 + 1] as number);
      else if (passes) waiting.push(step + 1);
      else if (op !== ops.begin) open.push(step);
    }
    return { open, done };
  }

  #nextRound(): number {
    if (++this.#round > 0xffff_fffe) {
      this.#marks.fill(0);
      this.#round = 1;
    }
    return this.#round;
  }

  /** With nothing remembered: what is open depends on the characters beside the place. */
  #testSlowly(text: string): boolean {
    const runes = Array.from(text, (char) => char.codePointAt(0) as number);
    let from: number[] = [];
    for (let at = 0; at <= runes.length; at++) {
      const word = isWord(runes[at - 1]) !== isWord(runes[at]);
      const state = this.#closure([...from, 0], { begin: at === 0, end: at === runes.length, word });
      if (state.done) return true;
      const rune = runes[at];
      from = rune === undefined ? [] : [...this.#after(state, rune)];
    }
    return false;
  }
}

function isWord(rune: number | undefined): boolean {
  return rune !== undefined && /^[0-9A-Za-z_]$/.test(String.fromCodePoint(rune));
}
