import { trimTrailing } from "../../core/index.js";
import { byteOrderMark, dockerfileLines, escapeOf } from "./directives.js";
import { type Heredoc, heredocsOf, isHeredocEnd } from "./heredocs.js";

/** One instruction of a Dockerfile, with where its text stands. */
export interface Instruction {
  /** In upper case. */
  word: string;
  /** It stands behind ONBUILD, and is not of this build but of those on its image. */
  isTrigger: boolean;
  /** What follows the word, with continued lines put together as the builder does: by nothing. */
  line: string;
  /** The same, and the lines of its here-documents behind it. */
  text: string;
  /** Where each part of the text begins, in it and in the file. The first ones may begin before the text, at less than 0. */
  parts: readonly (Place & { at: number })[];
  /** Where the word ends, as a place in the text: 0, or less. */
  wordEnd: number;
}

/** A place in a file. */
export interface Place {
  /** From 1. */
  line: number;
  /** From 0. */
  column: number;
}

/**
 * Instructions of a Dockerfile in order; without comments and empty lines, also those inside of a continued instruction. What the
 * builder would refuse is read as far as it goes (BK frontend/dockerfile/parser).
 */
export function readInstructions(dockerfile: string): Instruction[] {
  const lines = dockerfileLines(dockerfile);
  const escape = escapeOf(dockerfile);
  const mark = byteOrderMark(dockerfile).length;
  const instructions: Instruction[] = [];
  for (let at = 0; at < lines.length;) {
    const joined = new JoinedLines(mark);
    for (let isOpen = true; isOpen && at < lines.length; at++) {
      const line = lines[at] ?? "";
      if (isBlankOrComment(line)) {
        if (joined.isEmpty) break;
        continue;
      }
      const head = beforeEscape(line, escape);
      isOpen = head !== undefined;
      joined.add(head ?? line, at + 1);
    }
    if (joined.isEmpty) {
      at++;
      continue;
    }
    joined.endHead();
    for (const heredoc of joined.heredocs())
      for (let isOpen = true; isOpen && at < lines.length; at++) {
        const line = lines[at] ?? "";
        isOpen = !isHeredocEnd(line, heredoc);
        joined.add(line, at + 1);
      }
    const instruction = joined.instruction();
    if (instruction) instructions.push(instruction);
  }
  return instructions;
}

/** Where a place in an instruction's text stands in the file. */
export function placeAt({ parts }: Pick<Instruction, "parts">, at: number): Place {
  const part = parts.findLast((one) => one.at <= at) ?? parts[0];
  return part ? { line: part.line, column: part.column + Math.max(0, at - part.at) } : { line: 1, column: 0 };
}

class JoinedLines {
  readonly #mark: number;
  readonly #parts: (Place & { at: number })[] = [];
  #text = "";
  #head: string | undefined;

  constructor(mark: number) {
    this.#mark = mark;
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  add(line: string, number: number): void {
    if (this.#head !== undefined) this.#text += "\n";
    this.#parts.push({ at: this.#text.length, line: number, column: number === 1 ? this.#mark : 0 });
    this.#text += line;
  }

  /** What comes now are here-documents. */
  endHead(): void {
    this.#head = this.#text;
  }

  heredocs(): Heredoc[] {
    const { word } = this.#begin();
    return word === "RUN" || word === "COPY" || word === "ADD" ? heredocsOf(this.#text) : [];
  }

  instruction(): Instruction | undefined {
    const { word, isTrigger, length, wordEnd } = this.#begin();
    if (word === "") return undefined;
    return {
      word,
      isTrigger,
      line: (this.#head ?? "").slice(length),
      text: this.#text.slice(length),
      parts: this.#parts.map((part) => ({ ...part, at: part.at - length })),
      wordEnd: wordEnd - length,
    };
  }

  #begin() {
    const [whole = "", before = "", trigger = "", word = ""] =
      /^(\s*(onbuild\s+)?)(\S+)\s*/i.exec(this.#head ?? this.#text) ?? [];
    return {
      word: word.toUpperCase(),
      isTrigger: trigger !== "",
      length: whole.length,
      wordEnd: before.length + word.length,
    };
  }
}

/** The line without the character that continues it; undefined when it is not continued. A character that is escaped itself is no such. */
function beforeEscape(line: string, escape: string): string | undefined {
  const trimmed = trimTrailing(line, " \t");
  const head = trimmed.slice(0, -1);
  return trimmed.endsWith(escape) && !head.endsWith(escape) ? head : undefined;
}

function isBlankOrComment(line: string): boolean {
  const text = line.trimStart();
  return text === "" || text.startsWith("#");
}
