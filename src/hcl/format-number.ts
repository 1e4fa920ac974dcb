import { trimTrailing } from "../core/index.js";
import { type BigFloat, bitLength } from "./big-float.js";

/** Decimal digits without leading or trailing zeros: 0.digits · 10^point. Zero has no digits. */
interface Decimal {
  digits: string;
  point: number;
}

/**
 * The shortest decimal that reads back as the same number at its precision, never with an exponent, as Go's
 * `Text('f', -1)`: what HCL turns numbers into.
 */
export function numberText(value: BigFloat): string {
  if (value.infinite) return value.negative ? "-Inf" : "+Inf";
  const sign = value.negative ? "-" : "";
  if (value.isInteger && bitLength(value.mantissa) + value.exponent <= value.precision) {
    return sign + (value.mantissa << BigInt(value.exponent)).toString();
  }
  return sign + plain(shortest(value), -1);
}

/**
 * A number by one of Go's verbs `e E f F g G`, without sign. `precision` -1 is the shortest that reads back.
 */
export function formatFloat(value: BigFloat, verb: string, precision: number): string {
  const lower = verb.toLowerCase();
  const upper = verb !== lower && lower !== "f";
  const decimal = precision < 0 ? shortest(value) : exact(value);
  let text: string;
  if (lower === "f") {
    text = plain(precision < 0 ? decimal : rounded(decimal, decimal.point + precision), precision);
  } else if (lower === "e") {
    const places = precision < 0 ? Math.max(decimal.digits.length - 1, 0) : precision;
    text = scientific(rounded(decimal, places + 1), places);
  } else {
    text = general(decimal, precision);
  }
  return upper ? text.toUpperCase() : text;
}

function general(decimal: Decimal, asked: number): string {
  const short = asked < 0;
  const precision = asked === 0 ? 1 : asked;
  const kept = short ? decimal : rounded(decimal, precision);
  let limit = precision;
  if (limit > kept.digits.length && kept.digits.length >= kept.point) limit = kept.digits.length;
  if (short) limit = 6;
  const exponent = kept.point - 1;
  if (kept.digits !== "" && (exponent < -4 || exponent >= limit))
    return scientific(kept, kept.digits.length - 1);
  return plain(kept, Math.max(kept.digits.length - kept.point, 0));
}

function plain({ digits, point }: Decimal, places: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, "0") : "0";
  const fraction = point > 0 ? digits.slice(point) : "0".repeat(digits === "" ? 0 : -point) + digits;
  const shown = places < 0 ? fraction : fraction.slice(0, places).padEnd(places, "0");
  return shown === "" ? whole : `${whole}.${shown}`;
}

function scientific({ digits, point }: Decimal, places: number): string {
  const first = digits[0] ?? "0";
  const rest = digits.slice(1, places + 1).padEnd(places, "0");
  const exponent = digits === "" ? 0 : point - 1;
  const power = String(Math.abs(exponent)).padStart(2, "0");
  return `${first}${rest === "" ? "" : `.${rest}`}e${exponent < 0 ? "-" : "+"}${power}`;
}

function exact(value: BigFloat): Decimal {
  return decimalOf(value.mantissa, value.exponent);
}

function decimalOf(mantissa: bigint, exponent: number): Decimal {
  if (mantissa === 0n) return { digits: "", point: 0 };
  const digits = (
    exponent >= 0 ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent)
  ).toString();
  return { digits: trimTrailing(digits, "0"), point: digits.length + Math.min(exponent, 0) };
}

function rounded(decimal: Decimal, count: number): Decimal {
  const { digits, point } = decimal;
  if (count < 0) return { digits: "", point: 0 };
  if (count >= digits.length) return decimal;
  const next = digits[count] as string;
  // Exactly in the middle goes to the even digit.
  const up =
    next === "5" && count + 1 === digits.length
      ? count > 0 && Number(digits[count - 1]) % 2 === 1
      : next >= "5";
  return up ? roundedUp(digits, point, count) : trimmed(digits.slice(0, count), point);
}

function roundedUp(digits: string, point: number, count: number): Decimal {
  const kept = trimTrailing(digits.slice(0, count), "9");
  if (kept === "") return { digits: "1", point: point + 1 };
  return { digits: kept.slice(0, -1) + String(Number(kept.at(-1)) + 1), point };
}

function trimmed(digits: string, point: number): Decimal {
  const short = trimTrailing(digits, "0");
  return { digits: short, point: short === "" ? 0 : point };
}

/** Digits up to where they lie between the midpoints to the neighbours. Go `math/big` ftoa.go `roundShortest`. */
function shortest(value: BigFloat): Decimal {
  if (value.mantissa === 0n) return { digits: "", point: 0 };
  const shift = value.precision + 1 - bitLength(value.mantissa);
  const mantissa = value.mantissa << BigInt(shift);
  const exponent = value.exponent - shift;
  const lower = decimalOf(mantissa - 1n, exponent).digits;
  const upper = decimalOf(mantissa + 1n, exponent).digits;
  const inclusive = (mantissa & 2n) === 0n;
  const middle = decimalOf(mantissa, exponent);
  for (let at = 0; at < middle.digits.length; at++) {
    const digit = middle.digits.charCodeAt(at);
    const low = at < lower.length ? lower.charCodeAt(at) : 48;
    const high = at < upper.length ? upper.charCodeAt(at) : 48;
    const down = low !== digit || (inclusive && at + 1 === lower.length);
    const up = digit !== high && (inclusive || digit + 1 < high || at + 1 < upper.length);
    if (down && up) return rounded(middle, at + 1);
    if (down) return trimmed(middle.digits.slice(0, at + 1), middle.point);
    if (up) return roundedUp(middle.digits, middle.point, at + 1);
  }
  return middle;
}
