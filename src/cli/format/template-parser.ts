import { TemplateError } from "./template-error.js";
import { type TemplatePiece, type TemplateToken, tokenize } from "./template-tokens.js";

/** A part of a template that prints something. */
export type TemplateNode =
  | { kind: "text"; text: string }
  | { kind: "print"; pipe: Pipeline; at: Place }
  | BlockNode
  | { kind: "break" | "continue" };

/** Something around other nodes. */
export interface BlockNode {
  kind: "if" | "with" | "range";
  pipe: Pipeline;
  body: TemplateNode[];
  otherwise: TemplateNode[];
  at: Place;
}

/** Commands whose results are handed on, the last one's being the value. */
export interface Pipeline {
  /** Variables that take the value, or index and value of a range. */
  variables: string[];
  /** They are new; otherwise they exist already. */
  declares: boolean;
  commands: Operand[][];
}

/** A value or a function, with the fields that are taken of it. */
export interface Operand {
  base:
    | { kind: "dot" }
    | { kind: "variable"; name: string }
    | { kind: "function"; name: string }
    | { kind: "literal"; value: unknown }
    | { kind: "pipe"; pipe: Pipeline };
  fields: string[];
}

/** Where an action stands, for messages. */
export interface Place {
  line: number;
  source: string;
}

/**
 * Parses the part of Go's text/template that formats use: fields, variables, pipelines, `if`, `with`, `range`.
 *
 * @throws TemplateError
 */
export function parseTemplate(template: string, isFunction: (name: string) => boolean): TemplateNode[] {
  const parser = new Parser(tokenize(template), isFunction);
  return parser.parseAll();
}

class Parser {
  readonly #pieces: TemplatePiece[];
  readonly #isFunction: (name: string) => boolean;
  #next = 0;

  constructor(pieces: TemplatePiece[], isFunction: (name: string) => boolean) {
    this.#pieces = pieces;
    this.#isFunction = isFunction;
  }

  parseAll(): TemplateNode[] {
    const { nodes, end } = this.#parseList(0);
    if (end) throw new TemplateError(String(end.line), `unexpected {{${end.word}}}`);
    return nodes;
  }

  /** Nodes up to `{{else}}` or `{{end}}`, whose tokens after the first word are returned too. */
  #parseList(loops: number): {
    nodes: TemplateNode[];
    end?: { word: string; action: ActionTokens; line: number };
  } {
    const nodes: TemplateNode[] = [];
    for (;;) {
      const piece = this.#pieces[this.#next++];
      if (!piece) return { nodes };
      if (piece.kind === "text") {
        nodes.push(piece);
        continue;
      }
      const at: Place = { line: piece.line, source: piece.source };
      const action = new ActionTokens(piece.tokens, at, this.#isFunction);
      const word = action.peek()?.kind === "word" ? (action.peek()?.text ?? "") : "";
      if (word === "else" || word === "end") {
        action.take();
        return { nodes, end: { word, action, line: at.line } };
      }
      if (word === "if" || word === "with" || word === "range") {
        action.take();
        nodes.push(this.#parseBlock(word, action, at, loops + (word === "range" ? 1 : 0)));
      } else if (word === "break" || word === "continue") {
        if (loops === 0) throw new TemplateError(String(at.line), `{{${word}}} outside {{range}}`);
        nodes.push({ kind: word });
      } else if (word === "define" || word === "template" || word === "block") {
        throw new TemplateError(String(at.line), `{{${word}}} is not supported`);
      } else nodes.push({ kind: "print", pipe: action.parsePipeline(), at });
    }
  }

  #parseBlock(kind: "if" | "with" | "range", action: ActionTokens, at: Place, loops: number): TemplateNode {
    const pipe = action.parsePipeline();
    const { nodes: body, end } = this.#parseList(loops);
    if (!end) throw new TemplateError(String(at.line), "unexpected EOF");
    if (end.word === "end") return { kind, pipe, body, otherwise: [], at };
    const next = end.action.peek();
    if (next?.kind === "word" && next.text === kind && kind !== "range") {
      end.action.take();
      return { kind, pipe, body, otherwise: [this.#parseBlock(kind, end.action, at, loops)], at };
    }
    const rest = this.#parseList(loops);
    if (rest.end?.word !== "end") throw new TemplateError(String(at.line), "expected {{end}}");
    return { kind, pipe, body, otherwise: rest.nodes, at };
  }
}

class ActionTokens {
  readonly #tokens: TemplateToken[];
  readonly #at: Place;
  readonly #isFunction: (name: string) => boolean;
  #next = 0;

  constructor(tokens: TemplateToken[], at: Place, isFunction: (name: string) => boolean) {
    this.#tokens = tokens;
    this.#at = at;
    this.#isFunction = isFunction;
  }

  peek(ahead = 0): TemplateToken | undefined {
    return this.#tokens[this.#next + ahead];
  }

  take(): TemplateToken | undefined {
    return this.#tokens[this.#next++];
  }

  /** A whole action: nothing may follow. */
  parsePipeline(): Pipeline {
    const pipe = this.#pipeline();
    const left = this.peek();
    if (left) throw this.#error(`unexpected ${JSON.stringify(left.text)} in command`);
    return pipe;
  }

  #pipeline(): Pipeline {
    const { variables, declares } = this.#declaration();
    const commands: Operand[][] = [];
    do commands.push(this.#command());
    while (this.#takeSymbol("|"));
    return { variables, declares, commands };
  }

  #declaration(): { variables: string[]; declares: boolean } {
    if (this.peek()?.kind !== "variable") return { variables: [], declares: false };
    const two = this.peek(1)?.text === "," && this.peek(2)?.kind === "variable";
    const sign = this.peek(two ? 3 : 1)?.text;
    if (sign !== ":=" && sign !== "=") return { variables: [], declares: false };
    const variables = [this.take()?.text ?? ""];
    if (two) {
      this.take();
      variables.push(this.take()?.text ?? "");
    }
    this.take();
    return { variables, declares: sign === ":=" };
  }

  #command(): Operand[] {
    const operands: Operand[] = [];
    for (;;) {
      const token = this.peek();
      if (!token || (token.kind === "symbol" && token.text !== "(")) break;
      operands.push(this.#operand());
    }
    if (operands.length === 0) throw this.#error("missing value for command");
    return operands;
  }

  #operand(): Operand {
    const token = this.take();
    if (!token) throw this.#error("missing value for command");
    const fields: string[] = [];
    const base = this.#base(token, fields);
    for (let next = this.peek(); next?.kind === "field" && !next.spaced; next = this.peek()) {
      fields.push(next.text.slice(1));
      this.take();
    }
    return { base, fields };
  }

  #base(token: TemplateToken, fields: string[]): Operand["base"] {
    const { kind, text } = token;
    switch (kind) {
      case "field":
        fields.push(text.slice(1));
        return { kind: "dot" };
      case "dot":
        return { kind: "dot" };
      case "variable":
        return { kind: "variable", name: text };
      case "string":
        return { kind: "literal", value: this.#string(text) };
      case "number":
        return { kind: "literal", value: Number(text.replaceAll("_", "")) };
      case "word":
        if (text === "true" || text === "false") return { kind: "literal", value: text === "true" };
        if (text === "nil") return { kind: "literal", value: undefined };
        if (!this.#isFunction(text)) throw this.#error(`function ${JSON.stringify(text)} not defined`);
        return { kind: "function", name: text };
      default: {
        if (text !== "(") throw this.#error(`unexpected ${JSON.stringify(text)} in operand`);
        const pipe = this.#pipeline();
        if (!this.#takeSymbol(")")) throw this.#error("unclosed left paren");
        return { kind: "pipe", pipe };
      }
    }
  }

  /** A Go string: interpreted, raw, or a character, whose value is its number. */
  #string(text: string): unknown {
    if (text.startsWith("`")) return text.slice(1, -1);
    const inner = text
      .slice(1, -1)
      .replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/g, unescape);
    return text.startsWith("'") ? inner.codePointAt(0) : inner;
  }

  #takeSymbol(text: string): boolean {
    const next = this.peek();
    if (next?.kind !== "symbol" || next.text !== text) return false;
    this.take();
    return true;
  }

  #error(problem: string): TemplateError {
    return new TemplateError(String(this.#at.line), problem);
  }
}

const escapes: Record<string, string> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

function unescape(_all: string, ...groups: (string | undefined)[]): string {
  const [byte, short, long, octal, other] = groups;
  const hex = byte ?? short ?? long;
  if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
  if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
  return escapes[other ?? ""] ?? other ?? "";
}
