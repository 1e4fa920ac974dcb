/** A place in a file: lines from 1, and columns from 1 that count what readers take for one character. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A stretch of a file, from its first character to just past its last. */
export interface Range {
  readonly filename: string;
  readonly start: Position;
  readonly end: Position;
}

/** From the start of the one to the end of the other. */
export function rangeBetween(first: Range, last: Range): Range {
  return { filename: first.filename, start: first.start, end: last.end };
}

/** Nothing, at a range's start. */
export function startOf(range: Range): Range {
  return { filename: range.filename, start: range.start, end: range.start };
}

/** Nothing, at a range's end. */
export function endOf(range: Range): Range {
  return { filename: range.filename, start: range.end, end: range.end };
}

/** As hashicorp/hcl prints it: `FILE:3,1-8`, or `FILE:3,1-4,2` over several lines. */
export function rangeText({ filename, start, end }: Range): string {
  const last = start.line === end.line ? `${end.column}` : `${end.line},${end.column}`;
  return `${filename}:${start.line},${start.column}-${last}`;
}
