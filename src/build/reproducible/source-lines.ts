import { escapesByBacktick } from "../engine-images/base-images.js";

/** One instruction of a Dockerfile, with where its text stands. */
export interface Instruction {
  /** In upper case. */
  word: string;
  /** What follows, with the lines of a continued instruction put together by blanks, and heredocs behind it. */
  text: string;
  /** Line of each part of the text, by where the part begins in it. */
  parts: readonly { at: number; line: number }[];
}

/**
 * Instructions of a Dockerfile in order, with lines counted from 1; without comments, also those inside of a continued instruction.
 */
export function sourceLines(dockerfile: string): Instruction[] {
  const escape = escapesByBacktick(dockerfile) ? "`" : "\\";
  const lines = dockerfile.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  const instructions: Instruction[] = [];
  for (let at = 0; at < lines.length; at++) {
    if (isBlankOrComment(lines[at] ?? "")) continue;
    const joined = new JoinedLines();
    let isOpen = true;
    for (; isOpen && at < lines.length; at++) {
      const line = lines[at] ?? "";
      if (isBlankOrComment(line)) continue;
      const continued = line.trimEnd();
      isOpen = continued.endsWith(escape);
      joined.add(isOpen ? continued.slice(0, -1) : line, at + 1, " ");
    }
    for (const end of heredocEnds(joined.text))
      for (; at < lines.length; at++) {
        const line = lines[at] ?? "";
        if (line.replace(/^\t+/, "") === end) {
          at++;
          break;
        }
        joined.add(line, at + 1, "\n");
      }
    at--;
    instructions.push(...joined.instruction());
  }
  return instructions;
}

/** The line that a place in an instruction's text stands on. */
export function lineAt({ parts }: Pick<Instruction, "parts">, at: number): number {
  let line = parts[0]?.line ?? 1;
  for (const part of parts) if (part.at <= at) ({ line } = part);
  return line;
}

class JoinedLines {
  text = "";
  readonly #parts: { at: number; line: number }[] = [];

  add(line: string, number: number, between: string): void {
    if (this.#parts.length > 0) this.text += between;
    this.#parts.push({ at: this.text.length, line: number });
    this.text += line;
  }

  /** ONBUILD is of the instruction behind it. */
  instruction(): Instruction[] {
    const [whole = "", word = ""] = /^\s*(?:onbuild\s+)?([a-z]+)\s*/i.exec(this.text) ?? [];
    if (word === "") return [];
    const parts = this.#parts.map(({ at, line }) => ({ at: at - whole.length, line }));
    return [{ word: word.toUpperCase(), text: this.text.slice(whole.length), parts }];
  }
}

function isBlankOrComment(line: string): boolean {
  const text = line.trimStart();
  return text === "" || text.startsWith("#");
}

/** Words that end the heredocs which an instruction begins. */
function heredocEnds(text: string): string[] {
  return /^\s*(?:onbuild\s+)?(?:run|copy|add)\s/i.test(text)
    ? [...text.matchAll(/<<-?["']?([A-Za-z_]\w*)["']?/g)].map(([, word = ""]) => word)
    : [];
}
