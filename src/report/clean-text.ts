import { trimTrailing } from "../core/index.js";
import { sanitizeName } from "../progress/index.js";

/**
 * Text of several lines for a page: without control sequences, with characters written out that would hide or reorder
 * others, and of lines that were written over (`\r`) what was to be seen at last.
 */
export function cleanText(text: string): string {
  return text.split("\n").map(cleanLine).join("\n").trimEnd();
}

function cleanLine(line: string): string {
  const shown = trimTrailing(line, "\r");
  return sanitizeName(shown.slice(shown.lastIndexOf("\r") + 1));
}
