import { trimBoth } from "../../core/index.js";
import type { Printer } from "../printer.js";
import { alignTabs } from "./tab-writer.js";
import { headerFunctions, formatGoJson } from "./template-functions.js";
import { Template } from "./template.js";

/** One record of a listing. */
export interface FormatRow {
  /** What templates see: fields by name, functions as methods. */
  fields: Readonly<Record<string, unknown>>;
  /** What `json` prints; default: the fields, by name. */
  json?: unknown;
}

/** Options of {@link formatRows}. */
export interface FormatRowsOptions {
  /** Value of `--format`: `table`, `table <template>`, `json` or a template. */
  format: string;
  /** Template of the columns for `table` alone, without the word: `{{.Name}}\t{{.Status}}`. */
  defaultTable: string;
  /** Heading of each column by field name. */
  headers: Readonly<Record<string, string>>;
  rows: readonly FormatRow[];
  /** Makes a text fit for one cell of a table. */
  cell?: (text: string) => string;
}

/** Whether a value of `--format` asks for a table (docker/cli Format.IsTable). */
export function isTableFormat(format: string): boolean {
  return format.startsWith("table");
}

/**
 * Records as text, the way docker/cli's formatter writes them: a table with a heading, or one line for each.
 *
 * @throws TemplateError
 */
export function formatRows(options: FormatRowsOptions): string {
  const { format, defaultTable, headers, rows, cell } = options;
  if (format === "json") return rows.map((row) => `${formatGoJson(jsonOf(row))}\n`).join("");
  const table = isTableFormat(format);
  const source = format === "table" ? defaultTable : table ? format.slice("table".length) : format;
  const template = Template.parse(trimBoth(source, " ").replaceAll("\\t", "\t").replaceAll("\\n", "\n"));
  const shown = table && cell ? (row: FormatRow) => inCells(row, cell) : (row: FormatRow) => row;
  const lines = rows.map((row) => `${template.execute(contextOf(shown(row)))}\n`).join("");
  if (!table) return lines;
  const heading = new Map<string, unknown>(Object.entries(headers));
  return alignTabs(`${template.execute(heading, headerFunctions)}\n${lines}`);
}

/** Prints what {@link formatRows} makes, each form in its own way. No text of a row can begin a row of its own in a table. */
export function printRows(printer: Printer, options: FormatRowsOptions): void {
  const text = formatRows({ ...options, cell: (value) => printer.cell(value) });
  if (options.format === "json") printer.json(text);
  else if (isTableFormat(options.format)) printer.text(text);
  else printer.values(text);
}

function inCells({ fields, json }: FormatRow, cell: (text: string) => string): FormatRow {
  const clean = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(clean);
    return typeof value === "string" ? cell(value) : value;
  };
  const cells = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, clean(value)]));
  return json === undefined ? { fields: cells } : { fields: cells, json };
}

/** The row for templates; `{{json .}}` prints what `--format json` does. */
function contextOf(row: FormatRow): object {
  return Object.defineProperty({ ...row.fields }, "toJSON", { value: () => jsonOf(row), enumerable: false });
}

function jsonOf({ fields, json }: FormatRow): unknown {
  return json ?? new Map(Object.entries(fields).filter(([, value]) => typeof value !== "function"));
}
