import type { Output } from "./output.js";
import { stripVTControlCharacters } from "node:util";
import { textWidth } from "./text-width.js";

/**
 * A picture of some lines at the bottom of a terminal, drawn over and over at the same place. Each picture is one
 * write that hides the cursor and shows it again, so that it is never left hidden (FLT-41).
 */
export class Screen {
  readonly #output: Output;
  /** Columns of each line of the last picture. */
  #widths: number[] = [];

  constructor(output: Output) {
    this.#output = output;
  }

  draw(lines: readonly string[], width: number): void {
    // A terminal that has become narrower has wrapped the lines of the last picture.
    const rows = this.#widths.reduce((sum, columns) => sum + Math.max(1, Math.ceil(columns / width)), 0);
    const up = rows > 0 ? `\x1b[${rows}A` : "";
    const text = lines.map((line) => `${line}\x1b[K\n`).join("");
    this.#output.write(`\x1b[?25l${up}\r${text}\x1b[J\x1b[?25h`);
    this.#output.flush();
    this.#widths = lines.map((line) => textWidth(stripVTControlCharacters(line)));
  }
}
