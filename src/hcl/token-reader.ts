import { type Diagnostic, report } from "./diagnostic.js";
import type { Expression } from "./expression.js";
import type { Range } from "./range.js";
import type { Token, TokenKind } from "./token.js";

/** Levels of brackets and signs that an expression may have; what is read by recursion must end somewhere. */
const deepest = 500;

const opposites: Record<string, TokenKind> = {
  "{": "}",
  "[": "]",
  "(": ")",
  oquote: "cquote",
  oheredoc: "cheredoc",
  "}": "{",
  "]": "[",
  ")": "(",
  cquote: "oquote",
  cheredoc: "oheredoc",
  control: "seqEnd",
  interp: "seqEnd",
  seqEnd: "interp",
};

/** The closing bracket of an opening one, and the other way round. */
export function oppositeOf(kind: TokenKind): TokenKind | undefined {
  return opposites[kind];
}

/**
 * Tokens as the parser takes them: comments left out, line breaks where they do not count, and past what could not be
 * read. Once it has gone on after an error, `recovery` is set, and what follows is told only if it is surely wrong.
 */
export class TokenReader {
  readonly diagnostics: Diagnostic[];
  recovery = false;
  readonly #tokens: readonly Token[];
  readonly #parse: (reader: TokenReader) => Expression;
  readonly #newlines = [true];
  #next = 0;
  /** Where reading goes on behind the token that {@link #find} gave. */
  #after = 0;
  #depth = 0;

  constructor(
    tokens: readonly Token[],
    diagnostics: Diagnostic[],
    parse: (reader: TokenReader) => Expression,
  ) {
    this.#tokens = tokens;
    this.diagnostics = diagnostics;
    this.#parse = parse;
  }

  /** Reads an expression; the rules for that are given from outside, since its parts read expressions again. */
  expression(): Expression {
    return this.nested(() => this.#parse(this));
  }

  /** Runs what reads by recursion, and refuses to go too deep. */
  nested<Result>(read: () => Result): Result {
    if (this.#depth >= deepest) {
      this.error(
        this.nextRange,
        "Expression too complex",
        `Expressions may be nested ${deepest} levels deep.`,
      );
      this.recovery = true;
      this.#next = this.#tokens.length - 1;
    }
    this.#depth++;
    try {
      return read();
    } finally {
      this.#depth--;
    }
  }

  error(subject: Range, summary: string, detail: string): void {
    report(this.diagnostics, subject, summary, detail);
  }

  /** Reports an error unless it may only be a consequence of an earlier one. */
  softError(subject: Range, summary: string, detail: string): void {
    if (!this.recovery) this.error(subject, summary, detail);
  }

  /** Whether reading has failed since `mark`, an earlier number of diagnostics, and was taken up again behind the error. */
  failedSince(mark: number): boolean {
    return this.recovery && this.diagnostics.length > mark;
  }

  get mark(): number {
    return this.diagnostics.length;
  }

  peek(): Token {
    return this.#find();
  }

  read(): Token {
    const token = this.#find();
    this.#next = this.#after;
    return token;
  }

  get nextRange(): Range {
    return this.peek().range;
  }

  get previousRange(): Range {
    return this.#next === 0 ? this.nextRange : (this.#tokens[this.#next - 1] as Token).range;
  }

  /** Whether the next token is this word. */
  isKeyword(word: string): boolean {
    const token = this.peek();
    return token.kind === "ident" && token.text === word;
  }

  /** Reads with line breaks counting or not. */
  withNewlines<Result>(count: boolean, read: () => Result): Result {
    this.#newlines.push(count);
    try {
      return read();
    } finally {
      this.#newlines.pop();
    }
  }

  /** Goes on behind the bracket of this kind that closes what is open. */
  recover(end: TokenKind): Token {
    const start = oppositeOf(end);
    this.recovery = true;
    let nested = 0;
    for (;;) {
      const token = this.read();
      const kind = end === "seqEnd" && token.kind === "control" ? "interp" : token.kind;
      if (kind === start) nested++;
      else if (kind === end) {
        if (nested < 1) return token;
        nested--;
      } else if (kind === "eof") return token;
    }
  }

  /** Goes on behind the next pair of brackets. */
  recoverOver(start: TokenKind): void {
    for (;;) {
      const { kind } = this.read();
      if (kind === start || kind === "eof") break;
    }
    this.recover(oppositeOf(start) as TokenKind);
  }

  /** Goes on at the next line that is outside of brackets opened from here. */
  recoverAfterItem(): void {
    this.recovery = true;
    const open: TokenKind[] = [];
    const close = (matches: (kind: TokenKind) => boolean) => {
      while (open.length > 0 && !matches(open.at(-1) as TokenKind)) open.pop();
      open.pop();
    };
    for (;;) {
      const { kind } = this.read();
      if (kind === "eof" || (kind === "newline" && open.length === 0)) return;
      if (["{", "[", "(", "oquote", "oheredoc", "interp", "control"].includes(kind)) open.push(kind);
      else if (["}", "]", ")", "cquote", "cheredoc"].includes(kind))
        close((other) => other === oppositeOf(kind));
      else if (kind === "seqEnd") close((other) => other === "interp" || other === "control");
    }
  }

  #find(): Token {
    const counts = this.#newlines.at(-1);
    for (let at = this.#next; at < this.#tokens.length; at++) {
      const token = this.#tokens[at] as Token;
      this.#after = at + 1;
      if (token.kind === "comment") {
        // A comment up to the end of its line stands for the line break as well.
        if (counts && token.text.endsWith("\n")) return { ...token, kind: "newline", text: "\n" };
        continue;
      }
      if (token.kind === "newline" && !counts) continue;
      return token;
    }
    this.#after = this.#tokens.length;
    return this.#tokens.at(-1) as Token;
  }
}
