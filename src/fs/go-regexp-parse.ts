/** Inclusive ranges of code points, sorted or not. */
export type Ranges = [number, number][];

/** Syntax tree of the part of Go's regular expressions that a file pattern can come to contain. */
export type RegexpNode =
  | { kind: "set"; ranges: Ranges; negated: boolean; properties: string[] }
  | { kind: "assert"; what: "begin" | "end" | "word" | "notWord" }
  | { kind: "concat"; nodes: RegexpNode[] }
  | { kind: "alternate"; nodes: RegexpNode[] }
  | { kind: "repeat"; node: RegexpNode; min: number; max: number };

const perlClasses: Record<string, Ranges> = {
  d: [[0x30, 0x39]],
  s: [[9, 10], [12, 13], [32, 32]], // prettier-ignore
  w: [[0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]], // prettier-ignore
};

const posixClasses: Record<string, string> = {
  alnum: "09AZaz", alpha: "AZaz", ascii: "\0\x7f", blank: "\t\t  ", cntrl: "\0\x1f\x7f\x7f", digit: "09",
  graph: "!~", lower: "az", print: " ~", punct: "!/:@[`{~", space: "\t\r  ", upper: "AZ", word: "09AZaz__",
  xdigit: "09AFaf",
}; // prettier-ignore

const simpleEscapes: Record<string, number> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

/**
 * Parses by the rules of Go's `regexp/syntax` with its Perl flags, as far as moby/patternmatcher lets pattern text
 * reach it. `undefined` where Go reports an error.
 */
export function parseGoRegexp(source: string): RegexpNode | undefined {
  const parser = new Parser(Array.from(source));
  try {
    return parser.alternation(false);
  } catch (error) {
    if (error instanceof SyntaxMistake) return undefined;
    throw error;
  }
}

class SyntaxMistake extends Error {}

class Parser {
  readonly #text: string[];
  /** Where the last `:]` stands. */
  readonly #lastClassEnd: number;
  #at = 0;

  constructor(text: string[]) {
    this.#text = text;
    this.#lastClassEnd = text.findLastIndex((char, at) => char === ":" && text[at + 1] === "]");
  }

  alternation(grouped: boolean): RegexpNode {
    const branches: RegexpNode[][] = [[]];
    let nodes = branches[0] as RegexpNode[];
    for (;;) {
      const char = this.#text[this.#at++];
      if (char === undefined) {
        if (grouped) throw new SyntaxMistake();
        break;
      }
      if (char === ")") {
        if (!grouped) throw new SyntaxMistake();
        break;
      }
      if (char === "|") {
        branches.push((nodes = []));
        continue;
      }
      this.#piece(char, nodes);
    }
    return branches.length === 1
      ? { kind: "concat", nodes }
      : { kind: "alternate", nodes: branches.map((branch) => ({ kind: "concat", nodes: branch })) };
  }

  #piece(char: string, nodes: RegexpNode[]): void {
    if (char === "\\" && this.#text[this.#at] === "Q") return this.#quoted(nodes);
    const repeat = this.#repetition(char);
    if (!repeat) {
      nodes.push(this.#atom(char));
      return;
    }
    const last = nodes.pop();
    if (!last) throw new SyntaxMistake();
    if (this.#text[this.#at] === "?") this.#at++; // lazy: the same strings match
    const next = this.#text[this.#at];
    // Go does not let repetitions stack: `a**` is an error, `a*{2}` too.
    if (next !== undefined) {
      const before = this.#at++;
      if (this.#repetition(next)) throw new SyntaxMistake();
      this.#at = before;
    }
    nodes.push({ kind: "repeat", node: last, ...repeat });
  }

  #repetition(char: string): { min: number; max: number } | undefined {
    if (char === "*") return { min: 0, max: Infinity };
    if (char === "+") return { min: 1, max: Infinity };
    if (char === "?") return { min: 0, max: 1 };
    if (char !== "{") return undefined;
    const body = this.#repetitionBody();
    const parts = body === undefined ? null : /^(0|[1-9][0-9]*)(,(0|[1-9][0-9]*)?)?$/.exec(body);
    if (!body || !parts) return undefined; // then the brace is a literal
    this.#at += body.length + 1;
    const min = Number(parts[1]);
    const max = parts[2] === undefined ? min : parts[3] === undefined ? Infinity : Number(parts[3]);
    if (min > 1000 || (max !== Infinity && (max > 1000 || min > max))) throw new SyntaxMistake();
    return { min, max };
  }

  /** Digits and commas up to a `}`; each of many open braces looks no further than its own. */
  #repetitionBody(): string | undefined {
    let end = this.#at;
    while (/^[0-9,]$/.test(this.#text[end] ?? "")) end++;
    return this.#text[end] === "}" ? this.#text.slice(this.#at, end).join("") : undefined;
  }

  #quoted(nodes: RegexpNode[]): void {
    this.#at++;
    while (this.#at < this.#text.length) {
      if (this.#text[this.#at] === "\\" && this.#text[this.#at + 1] === "E") {
        this.#at += 2;
        return;
      }
      nodes.push(literal(this.#text[this.#at++] as string));
    }
  }

  #atom(char: string): RegexpNode {
    if (char === "(") return this.alternation(true);
    if (char === "[") return this.#class();
    if (char === ".") return set([[10, 10]], true);
    if (char === "^") return { kind: "assert", what: "begin" };
    if (char === "$") return { kind: "assert", what: "end" };
    if (char !== "\\") return literal(char);
    switch (this.#text[this.#at]) {
      case "A":
        this.#at++;
        return { kind: "assert", what: "begin" };
      case "z":
        this.#at++;
        return { kind: "assert", what: "end" };
      case "b":
      case "B":
        return { kind: "assert", what: this.#text[this.#at++] === "b" ? "word" : "notWord" };
    }
    const shared = this.#sharedEscape();
    if (shared) return { kind: "set", negated: false, properties: [], ranges: [], ...shared };
    return set([[...this.#escape()]]);
  }

  /** `\d` and `\pN`, the escapes that mean the same inside and outside of a class; the backslash is eaten. */
  #sharedEscape(): { ranges?: Ranges; properties?: string[] } | undefined {
    const char = this.#text[this.#at] ?? "";
    const perl = perlClasses[char.toLowerCase()];
    if (perl && char.length === 1 && /[dDsSwW]/.test(char)) {
      this.#at++;
      return { ranges: char === char.toLowerCase() ? perl : complement(perl) };
    }
    if (char !== "p" && char !== "P") return undefined;
    let name = this.#text[this.#at + 1] ?? "";
    let next = this.#at + 2;
    if (name === "{") {
      const close = this.#text.indexOf("}", next);
      if (close < 0) throw new SyntaxMistake();
      name = this.#text.slice(next, close).join("");
      next = close + 1;
    }
    this.#at = next;
    const flipped = name.startsWith("^");
    const property = unicodeProperty(flipped ? name.slice(1) : name);
    const negated = (char === "P") !== flipped;
    return { properties: [`\\${negated ? "P" : "p"}{${property}}`] };
  }

  /** An escape that stands for one code point; the backslash is eaten. Gives it twice, as a range. */
  #escape(): [number, number] {
    const char = this.#text[this.#at++];
    if (char === undefined) throw new SyntaxMistake();
    const simple = simpleEscapes[char];
    if (simple !== undefined) return [simple, simple];
    const octal = (more: number): [number, number] => {
      let digits = char;
      while (more-- > 0 && /^[0-7]$/.test(this.#text[this.#at] ?? "")) digits += this.#text[this.#at++];
      return [parseInt(digits, 8), parseInt(digits, 8)];
    };
    if (char === "0") return octal(2);
    // `\1` alone would be a backreference, which Go has not; `\12` is octal.
    if (/^[1-7]$/.test(char) && /^[0-7]$/.test(this.#text[this.#at] ?? "")) return octal(2);
    if (char === "x") return this.#hexadecimal();
    if (char.charCodeAt(0) >= 0x80 || /^[0-9A-Za-z]$/.test(char)) throw new SyntaxMistake();
    return [char.charCodeAt(0), char.charCodeAt(0)];
  }

  #hexadecimal(): [number, number] {
    let digits = this.#text.slice(this.#at, this.#at + 2).join("");
    if (digits.startsWith("{")) {
      const close = this.#text.indexOf("}", this.#at);
      digits = close < 0 ? "" : this.#text.slice(this.#at + 1, close).join("");
      this.#at = close + 1;
    } else {
      this.#at += 2;
      if (digits.length !== 2) throw new SyntaxMistake();
    }
    const value = /^[0-9A-Fa-f]+$/.test(digits) ? parseInt(digits, 16) : Infinity;
    if (value > 0x10ffff) throw new SyntaxMistake();
    return [value, value];
  }

  #class(): RegexpNode {
    const negated = this.#text[this.#at] === "^";
    if (negated) this.#at++;
    const ranges: Ranges = [];
    const properties: string[] = [];
    for (let first = true; first || this.#text[this.#at] !== "]"; first = false) {
      if (this.#text[this.#at] === "[" && this.#text[this.#at + 1] === ":" && this.#posix(ranges)) continue;
      if (this.#text[this.#at] === "\\") {
        const back = this.#at++;
        const shared = this.#sharedEscape();
        if (shared) {
          ranges.push(...(shared.ranges ?? []));
          properties.push(...(shared.properties ?? []));
          continue;
        }
        this.#at = back;
      }
      const low = this.#member();
      let high = low;
      if (this.#text[this.#at] === "-" && (this.#text[this.#at + 1] ?? "]") !== "]") {
        this.#at++;
        high = this.#member();
        if (high < low) throw new SyntaxMistake();
      }
      ranges.push([low, high]);
    }
    this.#at++;
    return { kind: "set", ranges, negated, properties };
  }

  #member(): number {
    const char = this.#text[this.#at++];
    if (char === undefined) throw new SyntaxMistake();
    return char === "\\" ? this.#escape()[0] : (char.codePointAt(0) as number);
  }

  #posix(ranges: Ranges): boolean {
    if (this.#at + 2 > this.#lastClassEnd) return false;
    const rest = this.#text.slice(this.#at + 2).join("");
    const length = rest.indexOf(":]");
    const name = rest.slice(0, length);
    const flipped = name.startsWith("^");
    const text = posixClasses[flipped ? name.slice(1) : name];
    if (text === undefined) throw new SyntaxMistake();
    const members: Ranges = [];
    for (let i = 0; i < text.length; i += 2) members.push([text.charCodeAt(i), text.charCodeAt(i + 1)]);
    ranges.push(...(flipped ? complement(members) : members));
    this.#at += Array.from(name).length + 4;
    return true;
  }
}

function literal(char: string): RegexpNode {
  const rune = char.codePointAt(0) as number;
  return set([[rune, rune]]);
}

function set(ranges: Ranges, negated = false): RegexpNode {
  return { kind: "set", ranges, negated, properties: [] };
}

/** The code points that are in none of the ranges, which are sorted. */
function complement(ranges: Ranges): Ranges {
  const rest: Ranges = [];
  let from = 0;
  for (const [low, high] of ranges) {
    if (low > from) rest.push([from, low - 1]);
    from = high + 1;
  }
  rest.push([from, 0x10ffff]);
  return rest;
}

/** JavaScript's name of a Unicode category or script. */
function unicodeProperty(name: string): string {
  for (const candidate of name === "Any" ? ["Any"] : [`General_Category=${name}`, `Script=${name}`]) {
    try {
      if (new RegExp(`\\p{${candidate}}`, "u").unicode) return candidate;
    } catch {
      // not a name of that kind: try the next
    }
  }
  throw new SyntaxMistake();
}
