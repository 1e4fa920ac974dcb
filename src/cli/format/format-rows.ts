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
export function formatRows({ format, defaultTable, headers, rows }: FormatRowsOptions): string {
  if (format === "json") return rows.map((row) => `${formatGoJson(jsonOf(row))}\n`).join("");
  const table = isTableFormat(format);
  const source = format === "table" ? defaultTable : table ? format.slice("table".length) : format;
  const template = Template.parse(
    source
      .replace(/^ +| +$/g, "")
      .replaceAll("\\t", "\t")
      .replaceAll("\\n", "\n"),
  );
  const lines = rows.map((row) => `${template.execute(contextOf(row))}\n`).join("");
  if (!table) return lines;
  const heading = new Map<string, unknown>(Object.entries(headers));
  return alignTabs(`${template.execute(heading, headerFunctions)}\n${lines}`);
}

/** The row for templates; `{{json .}}` prints what `--format json` does. */
function contextOf(row: FormatRow): object {
  return Object.defineProperty({ ...row.fields }, "toJSON", { value: () => jsonOf(row), enumerable: false });
}

function jsonOf({ fields, json }: FormatRow): unknown {
  return json ?? new Map(Object.entries(fields).filter(([, value]) => typeof value !== "function"));
}
