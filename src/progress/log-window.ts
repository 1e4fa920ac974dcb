import { charWidth } from "./text-width.js";

const longestWrite = 16 << 10;
const newline = 0x0a;

/** A letter and what is set on it, in UTF-16 units. */
const longestCell = 8;
/** Stands in the cell to the right of a double-width character. */
const shadow = "";

/**
 * The last lines of a step's output as a small terminal would show them: knows newline, carriage return, backspace,
 * tab, cursor movement and erasing; all other control sequences are swallowed.
 */
export class LogWindow {
  #rows: string[][];
  #columns: number;
  #row = 0;
  #column = 0;
  #held = "";
  readonly #decoder = new TextDecoder();

  constructor(rows: number, columns: number) {
    this.#columns = Math.max(6, columns);
    this.#rows = Array.from({ length: Math.max(1, rows) }, () => []);
  }

  resize(rows: number, columns: number): void {
    this.#columns = Math.max(6, columns);
    const wanted = Math.max(1, rows);
    while (this.#rows.length < wanted) this.#rows.push([]);
    if (this.#rows.length > wanted) {
      const cut = Math.max(0, this.#row - wanted + 1);
      this.#rows = this.#rows.slice(cut, cut + wanted);
      this.#row -= cut;
    }
    for (const row of this.#rows) row.length = Math.min(row.length, this.#columns);
    this.#column = Math.min(this.#column, this.#columns);
  }

  write(data: Uint8Array): void {
    // Of much output at once only the end can still be seen.
    const skipped = data.length > longestWrite ? data.indexOf(newline, data.length - longestWrite) + 1 : 0;
    const text = this.#held + this.#decoder.decode(data.subarray(skipped), { stream: true });
    this.#held = "";
    const token =
      // Plain text; CSI with its parameters and final byte; strings (OSC and the like) with their end; other escapes; one character.
      /[\x20-\x7e]+|\x1b\[([\x30-\x3f]*)[\x20-\x2f]*([\x40-\x7e])|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[\x20-\x2f]*[\x30-\x5a\x5c\x60-\x7e]|[^\x1b]|\x1b/gsu;
    for (const match of text.matchAll(token)) {
      const [whole, parameters, final] = match;
      if (final !== undefined) this.#control(parameters ?? "", final);
      else if (whole === "\x1b") {
        const rest = text.slice(match.index);
        if (rest.length < 4096 && !rest.includes("\n")) {
          this.#held = rest;
          return;
        }
      } else if (whole.length > 1 && !whole.startsWith("\x1b") && whole.charCodeAt(0) < 0x7f)
        this.#putAscii(whole);
      else if (!whole.startsWith("\x1b")) this.#put(whole);
    }
  }

  /** The rows that are not blank, without trailing spaces. */
  lines(): string[] {
    return this.#rows
      .map((row) => Array.from(row, (cell) => cell ?? " ").join(""))
      .map((line) => line.trimEnd())
      .filter((line) => line !== "");
  }

  #putAscii(text: string): void {
    for (let index = 0; index < text.length; index++) {
      if (this.#column >= this.#columns) {
        this.#column = 0;
        this.#nextRow();
      }
      (this.#rows[this.#row] ?? [])[this.#column++] = text.charAt(index);
    }
  }

  #put(character: string): void {
    switch (character) {
      case "\n":
        this.#column = 0;
        this.#nextRow();
        return;
      case "\r":
        this.#column = 0;
        return;
      case "\b":
        this.#column = Math.max(0, this.#column - 1);
        return;
      case "\t":
        this.#column = Math.min(this.#columns, (Math.floor(this.#column / 8) + 1) * 8);
        return;
    }
    if (/^[\x00-\x1f\x7f-\x9f]$/.test(character)) return;
    const width = charWidth(character);
    if (width === 0) return this.#combine(character);
    if (this.#column + width > this.#columns) {
      this.#column = 0;
      this.#nextRow();
    }
    const row = this.#rows[this.#row] ?? [];
    row[this.#column++] = character;
    if (width === 2) row[this.#column++] = shadow;
  }

  /** Accents stay with their letter. What would make it wider, join it with others or reorder the line goes. */
  #combine(mark: string): void {
    if (!/[\p{Mn}\p{Me}]/u.test(mark) || /[\ufe00-\ufe0f]/.test(mark)) return;
    const row = this.#rows[this.#row] ?? [];
    const column = this.#column - (row[this.#column - 1] === shadow ? 2 : 1);
    const cell = row[column];
    if (cell !== undefined && cell.length < longestCell) row[column] = cell + mark;
  }

  #nextRow(): void {
    if (this.#row < this.#rows.length - 1) this.#row++;
    else {
      this.#rows.shift();
      this.#rows.push([]);
    }
  }

  #control(parameters: string, final: string): void {
    const first = Number.parseInt(parameters, 10) || 0;
    const steps = Math.max(1, first);
    const lastRow = this.#rows.length - 1;
    switch (final) {
      case "A":
        this.#row = Math.max(0, this.#row - steps);
        break;
      case "B":
        this.#row = Math.min(lastRow, this.#row + steps);
        break;
      case "C":
        this.#column = Math.min(this.#columns, this.#column + steps);
        break;
      case "D":
        this.#column = Math.max(0, this.#column - steps);
        break;
      case "G":
        this.#column = Math.min(this.#columns, steps - 1);
        break;
      case "H":
      case "f": {
        const column = Number.parseInt(parameters.split(";")[1] ?? "", 10) || 1;
        this.#row = Math.min(lastRow, steps - 1);
        this.#column = Math.min(this.#columns, column - 1);
        break;
      }
      case "J":
        this.#eraseInLine(first);
        for (const [index, row] of this.#rows.entries())
          if (first >= 2 || (first === 0 ? index > this.#row : index < this.#row)) row.length = 0;
        break;
      case "K":
        this.#eraseInLine(first);
        break;
    }
  }

  #eraseInLine(mode: number): void {
    const row = this.#rows[this.#row];
    if (!row) return;
    if (mode === 0) row.length = Math.min(row.length, this.#column);
    else if (mode === 1) row.fill(" ", 0, this.#column + 1);
    else row.length = 0;
  }
}
