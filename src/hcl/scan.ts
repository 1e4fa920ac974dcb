import { graphemes } from "./graphemes.js";
import type { Position } from "./range.js";
import type { Token, TokenKind } from "./token.js";

const number = /[0-9](?:(?:[0-9.]|[eE][+-]?[0-9])*(?:[0-9]|[eE][+-]?[0-9]))?/y;
const ident = /[\p{ID_Start}_][\p{ID_Continue}-]*/uy;
const comment = /(?:#|\/\/)[^\n]*\n?|\/\*[^]*?\*\//y;
const operator = /==|!=|>=|<=|&&|\|\||::|\.\.\.|=>|\r?\n|[[\]().,*/%+\-=<>!?:&|~^;`']/y;
const heredocStart = /<<-?([\p{ID_Start}_][\p{ID_Continue}-]*)\r?\n/uy;
const templateStart = /([$%])\{~?/y;
const quotedLiteral = /\$\$\{~?|%%\{~?|[$%](?!\{)(?=[^])|(?:\\[^\r\n]|[^$%"\\\r\n])+/y;
const rawLiteral = /(?:\$\$\{~?|%%\{~?|[$%](?!\{)(?=[^])|[^$%\r\n]*)(?:\r?\n)?/y;
const lineBreaks = /[\r\n]+/y;
const asciiWord = /[A-Za-z_][\w-]*/y;
const printable = /^[\x20-\x7e]*$/;
/** How a file's bytes that are no UTF-8 arrive here; see `decodeSource`. */
const brokenByte = /[\ud800-\udfff]/;

type Mode = { kind: "main" | "string" | "bare" } | { kind: "heredoc"; marker: string; startOfLine: boolean };

/** Text of a file; bytes that are no UTF-8 become lone surrogates, which the scanner tells from all else. */
export function decodeSource(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("utf-8").decode(bytes).replaceAll("\ufffd", "\udcff");
  }
}

/**
 * Splits native syntax into tokens; the last is `eof`. What no rule fits becomes `invalid`, for the parser to refuse.
 * `bare` reads a template without quotes. The rules are those of hashicorp/hcl 2.24 hclsyntax/scan_tokens.rl.
 */
export function scan(
  source: string,
  filename: string,
  start: Position,
  mode: "main" | "bare" = "main",
): Token[] {
  return new Scanner(source.startsWith("\ufeff") ? source.slice(1) : source, filename, start, mode).run();
}

class Scanner {
  readonly #source: string;
  readonly #filename: string;
  readonly #tokens: Token[] = [];
  readonly #modes: Mode[];
  /** Depths of braces at which a template's `}` ends its sequence. */
  readonly #ends: number[] = [];
  #depth = 0;
  #at = 0;
  #line: number;
  #column: number;
  /** Where the last token ended, which the next one shares if it begins there. */
  #here: Position;

  constructor(source: string, filename: string, start: Position, mode: "main" | "bare") {
    this.#source = source;
    this.#filename = filename;
    this.#line = start.line;
    this.#column = start.column;
    this.#here = start;
    this.#modes = [{ kind: mode }];
  }

  run(): Token[] {
    while (this.#at < this.#source.length) {
      const mode = this.#modes.at(-1) as Mode;
      const done = mode.kind === "main" ? this.#main() : this.#template(mode);
      if (!done) this.#emit(mode.kind === "bare" ? "stringLit" : "invalid", this.#source.length - this.#at);
    }
    this.#emit("eof", 0);
    return this.#tokens;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#source);
  }

  /** How much of what comes next fits, `0` for nothing. */
  #lengthOf(pattern: RegExp): number {
    pattern.lastIndex = this.#at;
    return pattern.test(this.#source) ? pattern.lastIndex - this.#at : 0;
  }

  #main(): boolean {
    this.#skipBlanks();
    const char = this.#source[this.#at];
    if (char === undefined) return true;
    if (char === "{") {
      this.#emit("{", 1);
      this.#depth++;
      return true;
    }
    if (char === "}" || (char === "~" && this.#source[this.#at + 1] === "}")) return this.#close(char);
    if (char === '"') {
      this.#emit("oquote", 1);
      this.#modes.push({ kind: "string" });
      return true;
    }
    if (char === "<" && this.#heredoc()) return true;
    if (char === "\n") {
      this.#emit("newline", 1);
      return true;
    }
    return (
      this.#word() ||
      this.#take("number", number) ||
      this.#take("comment", comment) ||
      this.#operator() ||
      this.#invalid()
    );
  }

  #skipBlanks(): void {
    const start = this.#at;
    let at = start;
    for (let char = this.#source[at]; char === " " || char === "\t"; char = this.#source[++at]);
    this.#at = at;
    this.#column += at - start;
  }

  #heredoc(): boolean {
    const found = this.#match(heredocStart);
    if (!found) return false;
    this.#emit("oheredoc", found[0].length);
    this.#modes.push({ kind: "heredoc", marker: found[1] as string, startOfLine: true });
    return true;
  }

  /** Nearly all words are of ASCII, and their end is found in a tenth of the time. */
  #word(): boolean {
    const length = this.#lengthOf(asciiWord);
    if (this.#source.charCodeAt(this.#at + length) >= 0x80) return this.#take("ident", ident);
    if (length > 0) this.#emit("ident", length);
    return length > 0;
  }

  #take(kind: TokenKind, pattern: RegExp): boolean {
    const length = this.#lengthOf(pattern);
    if (length > 0) this.#emit(kind, length);
    return length > 0;
  }

  #operator(): boolean {
    const length = this.#lengthOf(operator);
    if (length === 0) return false;
    const found = this.#source.slice(this.#at, this.#at + length);
    this.#emit(found.endsWith("\n") ? "newline" : found, length);
    return true;
  }

  #invalid(): boolean {
    const char = String.fromCodePoint(this.#source.codePointAt(this.#at) as number);
    this.#emit(char.length === 1 && brokenByte.test(char) ? "badUtf8" : "invalid", char.length);
    return true;
  }

  #close(char: string): boolean {
    const ends = this.#ends.at(-1) === this.#depth;
    this.#emit(ends || char === "~" ? "seqEnd" : "}", char === "~" ? 2 : 1);
    this.#depth--;
    if (ends) {
      this.#ends.pop();
      this.#modes.pop();
    }
    return true;
  }

  #template(mode: Mode): boolean {
    const start = this.#match(templateStart);
    if (start) {
      this.#emit(start[1] === "$" ? "interp" : "control", start[0].length);
      this.#ends.push(++this.#depth);
      if (mode.kind === "heredoc") mode.startOfLine = false;
      this.#modes.push({ kind: "main" });
      return true;
    }
    return mode.kind === "string" ? this.#quoted() : this.#raw(mode);
  }

  #quoted(): boolean {
    if (this.#source[this.#at] === '"') {
      this.#emit("cquote", 1);
      this.#modes.pop();
      return true;
    }
    return (
      this.#literal("quotedLit", this.#match(quotedLiteral)?.[0] ?? "") ||
      this.#take("quotedNewline", lineBreaks) ||
      (this.#at + 1 < this.#source.length && this.#invalid())
    );
  }

  #raw(mode: Mode): boolean {
    const text = this.#match(rawLiteral)?.[0] ?? "";
    if (mode.kind !== "heredoc") return this.#literal("stringLit", text);
    const wasStart = mode.startOfLine;
    mode.startOfLine = text.endsWith("\n");
    if (!mode.startOfLine || !wasStart || text.trim() !== mode.marker)
      return this.#literal("stringLit", text);
    // The line break behind the marker is a token of its own: it ends the attribute.
    const newline = text.endsWith("\r\n") ? 2 : 1;
    this.#emit("cheredoc", text.length - newline);
    this.#emit("newline", newline);
    this.#modes.pop();
    return true;
  }

  #literal(kind: TokenKind, text: string): boolean {
    if (text === "") return false;
    const broken =
      brokenByte.test(text) && brokenByte.test(text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, ""));
    this.#emit(broken ? "badUtf8" : kind, text.length);
    return true;
  }

  #emit(kind: TokenKind, length: number): void {
    const text = this.#source.slice(this.#at, this.#at + length);
    const { line, column } = this.#here;
    const start =
      line === this.#line && column === this.#column
        ? this.#here
        : { line: this.#line, column: this.#column };
    this.#pass(text);
    this.#at += length;
    const end = (this.#here = { line: this.#line, column: this.#column });
    this.#tokens.push({ kind, text, range: { filename: this.#filename, start, end } });
  }

  #pass(text: string): void {
    if (printable.test(text)) {
      this.#column += text.length;
      return;
    }
    for (const char of text === "\n" ? text : graphemes(text)) {
      if (char === "\n" || char === "\r\n") {
        this.#line++;
        this.#column = 1;
      } else {
        this.#column++;
      }
    }
  }
}
