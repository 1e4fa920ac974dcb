import { BigFloat } from "./big-float.js";

/** Bits of numbers that are read from text. go-cty 1.17 `ParseNumberVal`. */
const textPrecision = 512;

/** Past this a number is refused: its digits alone would fill the memory. Go goes on. */
const largestExponent = 100_000;

/**
 * A number as Go's `big.ParseFloat` reads it in base 10: a fraction may lack either side of its dot, `e` stands before
 * a power of ten and `p` before one of two, `Inf` is a number. `undefined` for any other text.
 */
export function parseNumber(text: string): BigFloat | undefined {
  const infinity = /^([+-]?)[Ii]nf$/.exec(text);
  if (infinity) return BigFloat.infinity(infinity[1] === "-");
  const parts = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:([eEpP])([+-]?[0-9]+))?$/.exec(text);
  if (!parts) return undefined;
  const [, sign, whole = "", fraction = "", kind, power] = parts;
  if (whole === "" && fraction === "") return undefined;
  const exponent = Number(power ?? 0);
  if (Math.abs(exponent) > largestExponent) return undefined;
  const digits = BigInt(whole + fraction);
  const binary = kind === "p" || kind === "P" ? exponent : 0;
  const decimal = (kind === "e" || kind === "E" ? exponent : 0) - fraction.length;
  const negative = sign === "-";
  if (decimal >= 0) return BigFloat.of(negative, digits * 10n ** BigInt(decimal), binary, textPrecision);
  const dividend = BigFloat.of(negative, digits, binary, Math.max(textPrecision, digits.toString(2).length));
  const divisor = 10n ** BigInt(-decimal);
  return dividend
    .dividedBy(BigFloat.of(false, divisor, 0, divisor.toString(2).length))
    .withPrecision(textPrecision);
}
