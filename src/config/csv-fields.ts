import { InvalidArgumentError } from "../core/index.js";

/**
 * Splits one RFC 4180 record into its fields, with the rules of go-csvvalue (buildx uses it for every comma grammar):
 * a field that begins with `"` is quoted and `""` in it is a quote; a quote anywhere else is an error; one trailing
 * newline is ignored; an empty text has no fields and is an error.
 *
 * @throws InvalidArgumentError in the words of Go's encoding/csv; columns count bytes from 1.
 */
export function parseCsvFields(text: string): string[] {
  const line = text.replace(/\r?\n$/, "");
  if (line === "") throw new InvalidArgumentError("empty value, expecting at least one field");
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (line[at] !== '"') {
      const comma = line.indexOf(",", at);
      const end = comma < 0 ? line.length : comma;
      const field = line.slice(at, end);
      const quote = field.indexOf('"');
      if (quote >= 0) throw csvError(line, at + quote, 'bare " in non-quoted field');
      fields.push(field);
      if (comma < 0) return fields;
      at = comma + 1;
      continue;
    }
    const [field, end] = quotedField(line, at + 1);
    fields.push(field);
    if (end === line.length) return fields;
    at = end + 1;
  }
}

/** The field whose opening quote stands before `start`, and the index of the comma or end that follows it. */
function quotedField(line: string, start: number): [string, number] {
  let field = "";
  let at = start;
  for (;;) {
    const quote = line.indexOf('"', at);
    if (quote < 0) throw csvError(line, at, 'extraneous or missing " in quoted-field');
    field += line.slice(at, quote);
    const next = line[quote + 1];
    if (next === undefined || next === ",") return [field, quote + 1];
    if (next !== '"') throw csvError(line, quote, 'extraneous or missing " in quoted-field');
    field += '"';
    at = quote + 2;
  }
}

function csvError(line: string, index: number, problem: string): InvalidArgumentError {
  const column = Buffer.byteLength(line.slice(0, index)) + 1;
  return new InvalidArgumentError(`parse error on line 1, column ${column}: ${problem}`);
}
