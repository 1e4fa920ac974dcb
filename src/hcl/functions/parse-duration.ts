import { CtyError } from "../cty-error.js";
import { goQuote } from "../go-quote.js";

const units: Record<string, bigint> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** Nanoseconds of a duration as Go writes them: `1h30m`. */
export function parseDuration(given: string): bigint {
  const [, sign = "", body = ""] = /^([+-]?)(.*)$/s.exec(given) ?? [];
  const refuse = (what: string) => new CtyError(`time: ${what} duration ${goQuote(given)}`);
  if (body === "0") return 0n;
  if (body === "") throw refuse("invalid");
  let sum = 0n;
  let rest = body;
  while (rest !== "") {
    const [all = "", whole = "", fraction = "", unit = ""] =
      /^([0-9]*)(?:\.([0-9]*))?([^.0-9]*)/.exec(rest) ?? [];
    if (whole === "" && fraction === "") throw refuse("invalid");
    if (unit === "") throw refuse("missing unit in");
    const size = Object.hasOwn(units, unit) ? units[unit] : undefined;
    if (size === undefined)
      throw new CtyError(`time: unknown unit ${goQuote(unit)} in duration ${goQuote(given)}`);
    sum += BigInt(whole || "0") * size + (BigInt(fraction || "0") * size) / 10n ** BigInt(fraction.length);
    rest = rest.slice(all.length);
  }
  if (sum > 0x7fffffffffffffffn) throw refuse("invalid");
  return sign === "-" ? -sum : sum;
}
