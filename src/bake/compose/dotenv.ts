import { BakeError } from "../bake-error.js";
import { InterpolationError, interpolate } from "./interpolate.js";

/**
 * Reads a file of variables as Compose has it: `NAME=value`, also behind `export`, with `#` comments, `'…'` as it is, and `"…"` and
 * plain values with escapes and variables, which may be those above.
 *
 * @param lookup variables from outside, which come first
 */
export function parseDotenv(
  name: string,
  text: string,
  lookup: (name: string) => string | undefined,
): Map<string, string> {
  const values = new Map<string, string>();
  const variables = { lookup: (key: string) => lookup(key) ?? values.get(key), onUnset: () => {} };
  const source = text.replaceAll("\r\n", "\n");
  let line = 1;
  for (let from = 0; from < source.length;) {
    const end = lineEnd(source, from);
    const [, key, rest = ""] =
      /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*[=:](.*)$/s.exec(source.slice(from, end)) ?? [];
    if (key === undefined) {
      refuseOther(name, source.slice(from, end), line);
      [from, line] = [end + 1, line + 1];
      continue;
    }
    const start = end - rest.trimStart().length;
    const quote = source[start];
    const close = quote === '"' || quote === "'" ? closingQuote(source, start + 1, quote) : -1;
    const last = close < 0 ? end : lineEnd(source, close);
    values.set(key, valueOf(source.slice(start, close < 0 ? end : close + 1), variables));
    line += source.slice(from, last + 1).split("\n").length - 1;
    from = last + 1;
  }
  return values;
}

/** What is no assignment must be nothing, a comment or a lone name. */
function refuseOther(name: string, text: string, line: number): void {
  const plain = text.trim();
  if (plain === "" || plain.startsWith("#") || /^(?:export\s+)?[A-Za-z_][A-Za-z0-9_.-]*$/.test(plain)) return;
  throw new BakeError(`failed to read ${name}: line ${line}: unexpected character in variable name`);
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}

function closingQuote(text: string, from: number, quote: string): number {
  for (let place = from; place < text.length; place++) {
    if (text[place] === "\\" && quote === '"') place += 1;
    else if (text[place] === quote) return place;
  }
  return -1;
}

function valueOf(text: string, variables: Parameters<typeof interpolate>[1]): string {
  if (text.startsWith("'")) return text.slice(1, -1);
  try {
    if (text.startsWith('"')) return interpolate(unescaped(text.slice(1, -1)), variables);
    return interpolate(withoutComment(text).trim(), variables);
  } catch (error) {
    throw error instanceof InterpolationError ? new BakeError(error.message, { cause: error }) : error;
  }
}

function withoutComment(text: string): string {
  const comment = /(?:^|\s)#/.exec(text);
  return comment ? text.slice(0, comment.index) : text;
}

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", $: "$$" };

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, (_, char: string) => escapes[char] ?? char);
}
