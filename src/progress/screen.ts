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
  #columns = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  draw(lines: readonly string[], { width, height }: { width: number; height: number }): void {
    // A terminal that has become narrower has wrapped the lines of the last picture.
    const rows = this.#widths.reduce((sum, columns) => sum + Math.max(1, Math.ceil(columns / width)), 0);
    const up = rows > 0 ? `\x1b[${rows}A` : "";
    // Halves of a wrapped line that are written over are still one line to tmux, which joins them where it gets wider;
    // erased line by line they are not, and are not pushed into the scrollback, as the whole screen would be.
    const inSight = Math.min(rows, height - 1);
    const clear =
      inSight > 0 && this.#columns !== width ? `${"\x1b[2K\n".repeat(inSight)}\x1b[${inSight}A` : "";
    const text = lines.map((line) => `${line}\x1b[K\n`).join("");
    this.#output.write(`\x1b[?25l${up}\r${clear}${text}\x1b[J\x1b[?25h`);
    this.#columns = width;
    this.#output.flush();
    this.#widths = lines.map((line) => textWidth(stripVTControlCharacters(line)));
  }
}
