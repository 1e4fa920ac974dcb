/** How an input's list is read. */
export interface ListOptions {
  /** Commas stand between values, as well as ends of lines; default true. */
  commas?: boolean;
}

/**
 * The values of an input that is a list: one a line, or with commas between. A value in quotes may have both in it, and `""` for a
 * quote, as in CSV; a quote that is not closed is one like any other (docker/actions-toolkit Util.getInputList).
 */
export function listInput(text: string, { commas = true }: ListOptions = {}): string[] {
  const records = [...recordsOf(text.replaceAll("\r\n", "\n"))];
  const values = commas ? records.flat() : records.map((fields) => fields.join(","));
  return values.map((value) => value.trim()).filter((value) => value !== "");
}

function* recordsOf(text: string): Generator<string[]> {
  let fields: string[] = [];
  for (let at = 0; at <= text.length; at++) {
    let start = at;
    while (text[start] === " " || text[start] === "\t") start++;
    const quoted = text[start] === '"' ? quotedField(text, start + 1) : undefined;
    const end = quoted?.end ?? fieldEnd(text, at);
    fields.push(quoted?.value ?? text.slice(at, end));
    at = end;
    if (text[at] === ",") continue;
    yield fields;
    fields = [];
  }
}

/** A field that is closed, with nothing behind it but spaces. */
function quotedField(text: string, start: number): { value: string; end: number } | undefined {
  let value = "";
  for (let at = start; ;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return undefined;
    value += text.slice(at, quote);
    if (text[quote + 1] !== '"') {
      const end = fieldEnd(text, quote + 1);
      return text.slice(quote + 1, end).trim() === "" ? { value, end } : undefined;
    }
    value += '"';
    at = quote + 2;
  }
}

/** Where a comma or a line's end stands, or the text's own end. */
function fieldEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length && text[end] !== "," && text[end] !== "\n") end++;
  return end;
}
