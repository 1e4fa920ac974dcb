import { parseCsvFields } from "../../config/index.js";
import { InvalidArgumentError, messageOf } from "../../core/index.js";

/**
 * Splits a comma list of `key=value` fields, as `--output`, `--cache-to`, `--secret`… take them: one CSV record, so that
 * a quoted field may hold commas. Keys are trimmed and lower-cased, and given as they were written as well; a field
 * without `=` comes with an undefined value.
 *
 * @throws InvalidArgumentError that repeats the text when it is no CSV record.
 */
export function parseFields(text: string): [key: string, value: string | undefined, written: string][] {
  return csv(text).map((field) => {
    const [written, value] = splitPair(field);
    return [written.trim().toLowerCase(), value, written];
  });
}

/** The fields of one CSV record; InvalidArgumentError when the text is none. */
export function csv(text: string): string[] {
  try {
    return parseCsvFields(text);
  } catch (error) {
    throw new InvalidArgumentError(`invalid value ${JSON.stringify(text)}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Writes fields as one CSV record, quoting what needs it. */
export function formatCsv(fields: readonly string[]): string {
  return fields
    .map((field) => (/[",\r\n]|^\s/.test(field) ? `"${field.replaceAll('"', '""')}"` : field))
    .join(",");
}

/** Splits at the first `=`; the value is undefined when there is none. */
export function splitPair(text: string): [key: string, value: string | undefined] {
  const at = text.indexOf("=");
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
