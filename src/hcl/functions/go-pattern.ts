import { PatternMachine, type PatternNode } from "./pattern-machine.js";

/** A regular expression of Go's; groups by number, named where they have a name. */
export interface GoPattern {
  readonly machine: PatternMachine;
  readonly names: readonly (string | undefined)[];
}

/** Why Go refuses an expression: the kind of mistake and where it stands. */
export class PatternError extends Error {
  readonly code: string;
  readonly part: string;

  constructor(code: string, part: string) {
    super(`error parsing regexp: ${code}: \`${part}\``);
    this.code = code;
    this.part = part;
  }
}

interface Flags {
  i: boolean;
  m: boolean;
  s: boolean;
  U: boolean;
}

const posix: Record<string, string> = {
  alnum: "0-9A-Za-z", alpha: "A-Za-z", ascii: "\\x00-\\x7f", blank: "\\t ", cntrl: "\\x00-\\x1f\\x7f", digit: "0-9",
  graph: "!-~", lower: "a-z", print: " -~", punct: "!-\\/:-@\\[-`{-~", space: "\\t-\\r ", upper: "A-Z", word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
}; // prettier-ignore
const perl: Record<string, string> = { d: "0-9", s: "\\t\\n\\f\\r ", w: "0-9A-Za-z_" };
const controls: Record<string, number> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };
const categories = /^(?:C[cfos]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?)$/;

/** Compiles by Go's rules (RE2 syntax with Perl's classes). Throws a PatternError where Go reports an error. */
export function goPattern(source: string): GoPattern {
  const translator = new Translator(source);
  const body = translator.alternatives({ i: false, m: false, s: false, U: false }, 0);
  translator.expectEnd();
  try {
    return { machine: new PatternMachine(body, translator.names.length), names: translator.names };
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
    throw new PatternError("invalid or unsupported syntax", source);
  }
}

class Translator {
  readonly names: (string | undefined)[] = [];
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  expectEnd(): void {
    if (this.#at < this.#source.length) throw new PatternError("unexpected )", this.#source);
  }

  alternatives(flags: Flags, depth: number): PatternNode {
    if (depth > 200) throw new PatternError("expression nests too deeply", this.#source);
    let nodes: PatternNode[] = [];
    const branches = [nodes];
    let repeatable = false;
    while (this.#at < this.#source.length) {
      const char = this.#source[this.#at] as string;
      if (char === ")") break;
      if (char === "|") {
        this.#at++;
        branches.push((nodes = []));
        repeatable = false;
        continue;
      }
      const repetition = this.#repetition(flags, repeatable);
      if (repetition !== undefined) {
        nodes.push({ kind: "repeat", node: nodes.pop() as PatternNode, ...repetition });
        repeatable = false;
        continue;
      }
      const pieces = this.#piece(flags, depth);
      if (pieces === undefined) continue;
      nodes.push(...pieces);
      repeatable = nodes.length > 0;
    }
    return { kind: "either", nodes: branches.map((branch) => ({ kind: "all", nodes: branch })) };
  }

  #repetition(flags: Flags, repeatable: boolean): { min: number; max: number; isLazy: boolean } | undefined {
    const rest = this.#source.slice(this.#at);
    const found = /^(?:[*+?]|\{([0-9]+)(,([0-9]*))?\})/.exec(rest);
    if (!found) return undefined;
    const [all, least, range, most] = found;
    if (!repeatable) {
      const before = this.#at > 0 && /[*+?}]/.test(this.#source[this.#at - 1] as string);
      if (before)
        throw new PatternError(
          "invalid nested repetition operator",
          this.#source.slice(this.#at - 1, this.#at + all.length),
        );
      throw new PatternError("missing argument to repetition operator", all);
    }
    if (Number(least ?? 0) > 1000 || Number(most || 0) > 1000 || (most && Number(least) > Number(most))) {
      throw new PatternError("invalid repeat count", all);
    }
    this.#at += all.length;
    let lazy = false;
    if (this.#source[this.#at] === "?") {
      this.#at++;
      lazy = true;
    }
    const isLazy = lazy !== flags.U;
    if (least === undefined) return { min: all === "+" ? 1 : 0, max: all === "?" ? 1 : Infinity, isLazy };
    const max = range === undefined ? Number(least) : most ? Number(most) : Infinity;
    return { min: Number(least), max, isLazy };
  }

  #piece(flags: Flags, depth: number): PatternNode[] | undefined {
    const char = String.fromCodePoint(this.#source.codePointAt(this.#at) as number);
    this.#at += char.length;
    switch (char) {
      case "(": {
        const group = this.#group(flags, depth);
        return group && [group];
      }
      case "[":
        return [oneOf(this.#set(flags))];
      case ".": {
        const { s } = flags;
        return [{ kind: "one", test: (one) => s || one !== "\n" }];
      }
      case "^":
        return [flags.m ? assertions.lineBegin : assertions.begin];
      case "$":
        return [flags.m ? assertions.lineEnd : assertions.end];
      case "\\":
        return this.#escape(flags);
      default:
        return [literal(char, flags)];
    }
  }

  #group(flags: Flags, depth: number): PatternNode | undefined {
    const start = this.#at - 1;
    let isCounted = true;
    let inner = flags;
    if (this.#source[this.#at] === "?") {
      const rest = this.#source.slice(this.#at);
      const named = /^\?P?<([A-Za-z0-9_]+)>/.exec(rest);
      const flagged = /^\?([imsU]*)(?:-([imsU]+))?([:)])/.exec(rest);
      if (named) {
        const name = named[1] as string;
        if (this.names.includes(name)) throw new PatternError("duplicate capture group name", name);
        this.#at += named[0].length;
        this.names.push(name);
      } else if (flagged) {
        this.#at += flagged[0].length;
        const changed = { ...flags };
        for (const flag of flagged[1] ?? "") changed[flag as keyof Flags] = true;
        for (const flag of flagged[2] ?? "") changed[flag as keyof Flags] = false;
        if (flagged[3] === ")") {
          Object.assign(flags, changed);
          return undefined;
        }
        inner = changed;
        isCounted = false;
      } else {
        throw new PatternError("invalid or unsupported Perl syntax", this.#source.slice(start, start + 3));
      }
    } else {
      this.names.push(undefined);
    }
    const index = this.names.length;
    const node = this.alternatives({ ...inner }, depth + 1);
    if (this.#source[this.#at] !== ")") throw new PatternError("missing closing )", this.#source);
    this.#at++;
    return isCounted ? { kind: "group", index, node } : node;
  }

  #escape(flags: Flags): PatternNode[] {
    const char = this.#source[this.#at];
    if (char === undefined) throw new PatternError("trailing backslash at end of expression", "");
    const simple = assertedBy.get(char);
    if (simple) {
      this.#at++;
      return [simple];
    }
    if (char === "Q") {
      const end = this.#source.indexOf("\\E", this.#at);
      const quoted = this.#source.slice(this.#at + 1, end < 0 ? undefined : end);
      this.#at = end < 0 ? this.#source.length : end + 2;
      return Array.from(quoted, (each) => literal(each, flags));
    }
    const shared = this.#classEscape();
    if (shared !== undefined) return [oneOf(shared.negated ? `[^${shared.body}]` : `[${shared.body}]`)];
    return [literal(this.#charEscape(), flags)];
  }

  /** `\d`, `\pL` and their like. */
  #classEscape(): { body: string; negated: boolean } | undefined {
    const char = this.#source[this.#at] as string;
    const lower = char.toLowerCase();
    if (Object.hasOwn(perl, lower)) {
      this.#at++;
      return { body: perl[lower] as string, negated: char !== lower };
    }
    if (lower !== "p") return undefined;
    const found = /^[pP](?:\{(\^?)([^}]*)\}|([A-Za-z]))/.exec(this.#source.slice(this.#at));
    const name = found?.[2] ?? found?.[3] ?? "";
    if (!found || !/^[A-Za-z_]+$/.test(name))
      throw new PatternError("invalid character class range", `\\${char}`);
    this.#at += found[0].length;
    const negated = (char === "P") !== (found[1] === "^");
    const property = categories.test(name) ? name : name === "Any" ? "Any" : `Script=${name}`;
    return { body: `\\p{${property}}`, negated };
  }

  #charEscape(): string {
    const rest = this.#source.slice(this.#at);
    const char = String.fromCodePoint(rest.codePointAt(0) as number);
    const hex = /^x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]+)\})/.exec(rest);
    if (hex) {
      const code = Number.parseInt((hex[1] ?? hex[2]) as string, 16);
      if (code > 0x10ffff) throw new PatternError("invalid escape sequence", `\\${hex[0]}`);
      this.#at += hex[0].length;
      return String.fromCodePoint(code);
    }
    const octal = /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest);
    if (octal) {
      this.#at += octal[0].length;
      return String.fromCodePoint(Number.parseInt(octal[0], 8));
    }
    if (Object.hasOwn(controls, char)) {
      this.#at++;
      return String.fromCodePoint(controls[char] as number);
    }
    if (char >= "\x80" || /[0-9A-Za-z_]/.test(char))
      throw new PatternError("invalid escape sequence", `\\${char}`);
    this.#at += char.length;
    return char;
  }

  #set(flags: Flags): string {
    const start = this.#at - 1;
    const negated = this.#source[this.#at] === "^";
    if (negated) this.#at++;
    let body = "";
    const excluded: string[] = [];
    for (let first = true; ; first = false) {
      const rest = this.#source.slice(this.#at);
      if (rest === "") throw new PatternError("missing closing ]", this.#source.slice(start));
      if (rest.startsWith("]") && !first) break;
      const named = /^\[:(\^?)([a-z]+):\]/.exec(rest);
      if (named) {
        const members = Object.hasOwn(posix, named[2] as string) ? posix[named[2] as string] : undefined;
        if (members === undefined) throw new PatternError("invalid character class range", named[0]);
        this.#at += named[0].length;
        if (named[1] === "^") excluded.push(`[^${members}]`);
        else body += members;
        continue;
      }
      if (rest.startsWith("\\")) {
        this.#at++;
        if (rest.length === 1) throw new PatternError("trailing backslash at end of expression", "");
        const shared = this.#classEscape();
        if (shared) {
          if (shared.negated) excluded.push(`[^${shared.body}]`);
          else body += shared.body;
          continue;
        }
        this.#at--;
      }
      body += this.#setRange(flags);
    }
    this.#at++;
    const sets = [...(body === "" ? [] : [`[${body}]`]), ...excluded];
    const union = sets.length === 0 ? "(?!)" : sets.join("|");
    return negated ? `(?:(?!${union})[^])` : `(?:${union})`;
  }

  #setRange(flags: Flags): string {
    const start = this.#at;
    const low = this.#setChar();
    let high = low;
    const rest = this.#source.slice(this.#at);
    if (rest.startsWith("-") && rest[1] !== "]" && rest.length > 1) {
      this.#at++;
      high = this.#setChar();
      if ((high.codePointAt(0) as number) < (low.codePointAt(0) as number)) {
        throw new PatternError("invalid character class range", this.#source.slice(start, this.#at));
      }
    }
    const range = low === high ? inSet(low) : `${inSet(low)}-${inSet(high)}`;
    return flags.i ? range + otherCase(low, high) : range;
  }

  #setChar(): string {
    const char = String.fromCodePoint(this.#source.codePointAt(this.#at) as number);
    this.#at += char.length;
    return char === "\\" ? this.#charEscape() : char;
  }
}

const isWord = (char: string) => /^[0-9A-Za-z_]$/.test(char);
const assertion = (holds: (before: string, after: string) => boolean): PatternNode => ({
  kind: "assert",
  holds,
});
const assertions = {
  begin: assertion((before) => before === ""),
  end: assertion((_, after) => after === ""),
  lineBegin: assertion((before) => before === "" || before === "\n"),
  lineEnd: assertion((_, after) => after === "" || after === "\n"),
  word: assertion((before, after) => isWord(before) !== isWord(after)),
  noWord: assertion((before, after) => isWord(before) === isWord(after)),
};
const assertedBy = new Map([
  ["A", assertions.begin],
  ["z", assertions.end],
  ["b", assertions.word],
  ["B", assertions.noWord],
]);

/** One character of a set, which is written as JavaScript has it. */
function oneOf(set: string): PatternNode {
  const regexp = new RegExp(`^(?:${set})$`, "u");
  return { kind: "one", test: (char) => regexp.test(char) };
}

function literal(char: string, flags: Flags): PatternNode {
  const [lower, upper] = [char.toLowerCase(), char.toUpperCase()];
  if (flags.i && isOneChar(lower) && isOneChar(upper))
    return { kind: "one", test: (other) => other === lower || other === upper };
  return { kind: "one", test: (other) => other === char };
}

function inSet(char: string): string {
  return `\\u{${(char.codePointAt(0) as number).toString(16)}}`;
}

/** A range's letters in the other case. */
function otherCase(low: string, high: string): string {
  let result = "";
  for (
    let code = low.codePointAt(0) as number;
    code <= (high.codePointAt(0) as number) && code < 0x600;
    code++
  ) {
    const char = String.fromCodePoint(code);
    for (const other of [char.toLowerCase(), char.toUpperCase()]) {
      if (other !== char && isOneChar(other)) result += inSet(other);
    }
  }
  return result;
}

function isOneChar(text: string): boolean {
  return Array.from(text).length === 1;
}
