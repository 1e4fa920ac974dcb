import { InvalidArgumentError } from "../core/index.js";

const milliseconds = new Map<string, number>([
  ["ns", 1e-6],
  ["us", 1e-3],
  ["µs", 1e-3], // U+00B5
  ["μs", 1e-3], // U+03BC
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

/**
 * Milliseconds of a Go duration: `20s`, `1h30m`, `-1.5h`, `0` (`time.ParseDuration`). May have a fraction.
 *
 * @throws InvalidArgumentError in Go's words.
 */
export function parseGoDuration(text: string): number {
  const quoted = JSON.stringify(text);
  const sign = text.startsWith("-") ? -1 : 1;
  const rest = text.replace(/^[-+]/, "");
  if (rest === "0") return 0;
  if (rest === "") throw new InvalidArgumentError(`time: invalid duration ${quoted}`);
  let total = 0;
  let end = 0;
  for (const match of rest.matchAll(/(\d+(?:\.\d*)?|\.\d+)([^\d.]*)/gy)) {
    const [whole, amount = "", unit = ""] = match;
    if (unit === "") throw new InvalidArgumentError(`time: missing unit in duration ${quoted}`);
    const scale = milliseconds.get(unit);
    if (scale === undefined) {
      throw new InvalidArgumentError(`time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`);
    }
    total += Number(amount) * scale;
    end += whole.length;
  }
  // 2⁶³ ns is the end of Go's range.
  if (end !== rest.length || total > 2 ** 63 / 1e6) {
    throw new InvalidArgumentError(`time: invalid duration ${quoted}`);
  }
  return sign * total;
}
