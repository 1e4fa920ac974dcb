import type { SourceInfo, SourceRange } from "../core/index.js";
import { sanitizeName, sanitizeText } from "./sanitize.js";

const rule = "--------------------\n";

/**
 * The lines of a file that an error or a warning points at, with some around them, as BuildKit prints them
 * (solver/errdefs Source.Print). Empty when the ranges point nowhere.
 */
export function formatSource(info: SourceInfo, ranges: readonly SourceRange[]): string {
  const lines = Buffer.from(info.data).toString().split("\n");
  const marked = ranges.map(({ start, end }) => ({
    from: start.line,
    to: Math.max(start.line, end.line),
  }));
  const first = Math.min(...marked.map(({ from }) => from));
  const wanted = Math.max(0, ...marked.map(({ to }) => to));
  if (marked.length === 0 || first < 1 || first > lines.length) return "";
  let start = first;
  let end = Math.min(wanted, lines.length);
  const padding = start === end ? 4 : 2;
  for (let added = 0; added < padding; added++) {
    if (start > 1) {
      start--;
      added++;
    }
    if (end !== lines.length) {
      end++;
      added++;
    }
  }
  let text = `${sanitizeName(info.filename)}:${first}\n${rule}`;
  for (let line = start; line <= end; line++) {
    const prefix = marked.some(({ from, to }) => from <= line && line <= to) ? ">>>" : "   ";
    text += ` ${String(line).padStart(3)} | ${prefix} ${sanitizeText(lines[line - 1] ?? "")}\n`;
  }
  return text + rule;
}
