import { InvalidArgumentError } from "../core/index.js";

/**
 * Splits a command line into words as google/shlex does: blanks separate, `'…'` keeps everything, in `"…"` and outside
 * a backslash keeps the next character, `#` at the start of a word begins a comment to the end of the line.
 * Nothing is expanded.
 *
 * @throws InvalidArgumentError when a quote or an escape is left open.
 */
export function splitShellWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  const characters = text[Symbol.iterator]();
  for (const char of characters) {
    if (quote !== undefined && char === quote) {
      quote = undefined;
    } else if (char === "\\" && quote !== "'") {
      const next = characters.next();
      if (next.done) throw new InvalidArgumentError("EOF found after escape character");
      word = (word ?? "") + next.value;
    } else if (quote !== undefined) {
      word = (word ?? "") + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= "";
    } else if (" \t\r\n".includes(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === "#" && word === undefined) {
      skipLine(characters);
    } else {
      word = (word ?? "") + char;
    }
  }
  if (quote !== undefined) throw new InvalidArgumentError("EOF found when expecting closing quote");
  if (word !== undefined) words.push(word);
  return words;
}

function skipLine(characters: Iterator<string>): void {
  for (let next = characters.next(); !next.done && next.value !== "\n"; next = characters.next());
}
