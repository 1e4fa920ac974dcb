import { blankUsers, readOptions } from "../core/index.js";
import { sanitizerKinds } from "./option-kinds.js";

// SEC-31 and SEC-32: text from outside must not reach the terminal as commands.

const nothingToDo = /^[\x20-\x7e]*$/;
const plainLines = /^[\x20-\x7e\n\t]*$/;
const sequences =
  // CSI; then OSC, DCS, SOS, PM and APC up to their end, or of the whole rest when they have none; then other escapes.
  /(?:\x1b\[|\x9b)[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]?|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[\x20-\x2f]*[\x30-\x7e]?/g;
const sgr = /^(?:\x1b\[|\x9b)([0-9;:]*)m$/;
const controls = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;
/**
 * Characters that reorder or hide what stands around them; joiners within a sequence of emoji are neither. In a function,
 * since V8 takes long to read classes of characters.
 */
const invisible = () =>
  /(?!(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}]\ufe0f?)\u200d\p{Extended_Pictographic})[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;

/**
 * A name on one line: no control sequences, and characters that would hide or reorder text written out as `\u202e`;
 * user names and passwords of URLs are removed, since steps are named by URLs.
 */
export function sanitizeName(text: string): string {
  const shown = text.includes("://") ? blankUsers(text) : text;
  if (nothingToDo.test(shown)) return shown;
  return shown
    .replace(sequences, "")
    .replace(/[\r\n]+/g, " ")
    .replace(controls, "")
    .replace(invisible(), (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const nothing: ReadonlySet<string> = new Set();

/**
 * A text of several lines: keeps newlines, tabs and colours (SGR), which are closed at the end of each line; all other
 * control characters and sequences go, but for those in `known`, which are ours.
 */
export function sanitizeText(text: string, known = nothing): string {
  if (plainLines.test(text)) return text;
  return text
    .split("\n")
    .map((line) => sanitizeLine(line, known))
    .join("\n");
}

function sanitizeLine(line: string, known: ReadonlySet<string>): string {
  if (nothingToDo.test(line)) return line;
  let open = false;
  let result = "";
  let end = 0;
  for (const match of line.matchAll(sequences)) {
    result += line.slice(end, match.index).replace(controls, "");
    end = match.index + match[0].length;
    if (known.has(match[0])) result += match[0];
    const colour = sgr.exec(match[0])?.[1];
    if (colour === undefined) continue;
    open = !/^[0;:]*$/.test(colour);
    result += `\x1b[${colour}m`;
  }
  result += line.slice(end).replace(controls, "");
  return open ? `${result}\x1b[0m` : result;
}

/** An escape sequence that is longer than this is no sequence: a step that prints ESC and then megabytes. */
const longestSequence = 4096;

/**
 * {@link sanitizeText} for output that comes in pieces of any size: a sequence or a character may be cut anywhere.
 * A colour that is open at the end of a piece is closed there and opened again with the next one.
 */
export class LogSanitizer {
  readonly #decoder = new TextDecoder();
  readonly #returns: "drop" | "break";
  #held = "";
  #colour = "";
  #afterReturn = false;

  /** `returns`: carriage returns that do not end a line go like other controls, or break it as a progress bar means. */
  constructor(options: { returns?: "drop" | "break" } = {}) {
    const { returns = "drop" } = readOptions("LogSanitizer", options, sanitizerKinds);
    this.#returns = returns;
  }

  push(data: Uint8Array): string {
    const decoded = this.#decoder.decode(data, { stream: true });
    let text = this.#colour + this.#held + (this.#returns === "break" ? this.#breakLines(decoded) : decoded);
    this.#held = "";
    this.#colour = "";
    // An unfinished sequence at the very end waits for the rest of it.
    const start = text.lastIndexOf("\x1b");
    if (start >= 0 && text.length - start < longestSequence && isUnfinished(text.slice(start))) {
      this.#held = text.slice(start);
      text = text.slice(0, start);
    }
    const lastLine = text.slice(text.lastIndexOf("\n") + 1);
    for (const match of lastLine.matchAll(/\x1b\[([0-9;:]*)m/g))
      this.#colour = /^[0;:]*$/.test(match[1] ?? "") ? "" : this.#colour + match[0];
    if (this.#colour.length > longestSequence) this.#colour = "";
    return sanitizeText(text);
  }

  /** The line feed of a carriage return may come with the next piece. */
  #breakLines(text: string): string {
    if (text === "") return text;
    const rest = this.#afterReturn && text.startsWith("\n") ? text.slice(1) : text;
    this.#afterReturn = text.endsWith("\r");
    return rest.replace(/\r+\n?/g, "\n");
  }
}

function isUnfinished(sequence: string): boolean {
  if (sequence === "\x1b" || sequence === "\x1b\x5c") return sequence === "\x1b";
  if (/^\x1b\[[\x30-\x3f]*[\x20-\x2f]*$/.test(sequence)) return true;
  if (/^\x1b[\x20-\x2f]+$/.test(sequence)) return true;
  return /^\x1b[\]PX^_][^\x07\x1b\x9c]*$/.test(sequence);
}
