import { stripVTControlCharacters } from "node:util";
import { textWidth } from "../../progress/index.js";

/** How {@link alignTabs} sets columns. */
export interface TabOptions {
  /** Least width of a column, padding included. Default 10 (docker/cli formatter). */
  minWidth?: number;
  /** Spaces after the widest cell of a column. Default 3. */
  padding?: number;
  /** Fill up with tabs of this many columns instead of spaces. */
  tabs?: number;
}

/**
 * Aligns cells that are ended by tabs, each column as wide as its widest cell in the lines around that have it too
 * (Go text/tabwriter, elastic tabstops). Double-width characters count two; control sequences count nothing.
 */
export function alignTabs(text: string, { minWidth = 10, padding = 3, tabs }: TabOptions = {}): string {
  const lines = text.split("\n").map((line) => line.split("\t"));
  const widths = lines.map((cells) => cells.map(() => 0));
  // A column lasts as long as lines follow each other that have it; the last cell of a line belongs to none.
  const setColumn = (from: number, to: number, column: number) => {
    for (let start = from; start < to; start++) {
      if ((lines[start]?.length ?? 0) - 1 <= column) continue;
      let end = start;
      let width = minWidth;
      while (end < to && (lines[end]?.length ?? 0) - 1 > column) {
        width = Math.max(width, cellWidth(lines[end]?.[column] ?? "") + padding);
        end++;
      }
      for (let line = start; line < end; line++) (widths[line] ?? [])[column] = width;
      setColumn(start, end, column + 1);
      start = end;
    }
  };
  setColumn(0, lines.length, 0);
  return lines
    .map((cells, line) =>
      cells
        .map((cell, column) => {
          if (column === cells.length - 1) return cell;
          const width = widths[line]?.[column] ?? 0;
          if (tabs) return cell + "\t".repeat(Math.ceil(width / tabs) - Math.floor(cellWidth(cell) / tabs));
          return cell + " ".repeat(Math.max(0, width - cellWidth(cell)));
        })
        .join(""),
    )
    .join("\n");
}

function cellWidth(cell: string): number {
  return textWidth(stripVTControlCharacters(cell));
}
