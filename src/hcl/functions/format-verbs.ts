import { convert } from "../convert-value.js";
import { ArgumentError, CtyError } from "../cty-error.js";
import { formatFloat } from "../format-number.js";
import { goQuote } from "../go-quote.js";
import { graphemeCount, graphemes } from "../graphemes.js";
import { boolType, numberType, stringType } from "../types.js";
import { encodeJson, jsonText } from "../encode-json.js";
import { type Value, isTrue, numberOf, textOf } from "../value.js";

interface Verb {
  raw: string;
  offset: number;
  index: number;
  mode: string;
  flags: string;
  width: number | undefined;
  precision: number | undefined;
}

const verbPattern = /%([0#\-+ ]*)([1-9][0-9]*)?(?:\.([0-9]*))?(?:\[([1-9][0-9]*)\])?([a-zA-Z])/y;
/** The beginning of a verb, up to where something may be wrong with it. */
const startOfVerb = /%[0#\-+ ]*(?:[1-9][0-9]*)?(?:\.[0-9]*)?(?:\[(?:[1-9][0-9]*\]?)?)?/y;

/** Text by a format with verbs like C's. go-cty 1.17 function/stdlib/format.go. */
export function formatText(format: string, args: readonly Value[]): string {
  let result = "";
  let next = 1;
  let highest = 0;
  for (let at = 0; at < format.length;) {
    const percent = format.indexOf("%", at);
    result += format.slice(at, percent < 0 ? undefined : percent);
    if (percent < 0) break;
    if (format[percent + 1] === "%") {
      result += "%";
      at = percent + 2;
      continue;
    }
    const verb = readVerb(format, percent, next);
    highest = Math.max(highest, verb.index);
    result += applied(verb, args);
    next = verb.index + 1;
    at = percent + verb.raw.length;
  }
  if (highest >= args.length) return result;
  const used = highest === 0 ? "no verbs in format string" : `only ${highest} used by format string`;
  throw new ArgumentError(highest + 1, `too many arguments; ${used}`);
}

function readVerb(format: string, at: number, next: number): Verb {
  verbPattern.lastIndex = at;
  const found = verbPattern.exec(format);
  if (!found) {
    startOfVerb.lastIndex = at;
    const end = at + (startOfVerb.exec(format)?.[0].length ?? 0);
    const offset = Buffer.byteLength(format.slice(0, end));
    if (end >= format.length) throw new CtyError(`invalid format string starting at offset ${offset}`);
    const char = String.fromCodePoint(format.codePointAt(end) as number);
    throw new CtyError(`unrecognized format character '${char}' at offset ${offset}`);
  }
  const [raw, flags = "", width, precision, index, mode = ""] = found;
  return {
    raw,
    offset: Buffer.byteLength(format.slice(0, at)),
    index: index === undefined ? next : Number(index),
    mode,
    flags,
    width: width === undefined ? undefined : Number(width),
    precision: precision === undefined ? undefined : Number(precision),
  };
}

function applied(verb: Verb, args: readonly Value[]): string {
  const place = `${goQuote(verb.raw)} at ${verb.offset}`;
  const value = args[verb.index - 1];
  if (!value) {
    throw new CtyError(
      `not enough arguments for ${place}: need index ${verb.index} but have ${args.length} total`,
    );
  }
  const refuse = (reason: string) => new CtyError(`unsupported value for ${place}: ${reason}`);
  if (verb.mode !== "v" && value.isNull) throw refuse("null value cannot be formatted");
  try {
    switch (verb.mode) {
      case "v":
        return padded(verb, plain(verb, value));
      case "t":
        return String(isTrue(convert(value, boolType)));
      case "s":
      case "q":
        return padded(verb, quoted(verb, textOf(convert(value, stringType))));
      case "b":
      case "d":
      case "o":
      case "x":
      case "X":
        return integer(verb, convert(value, numberType));
      case "e":
      case "E":
      case "f":
      case "g":
      case "G":
        return float(verb, convert(value, numberType));
    }
  } catch (error) {
    if (error instanceof CtyError) throw refuse(error.message);
    throw error;
  }
  throw new CtyError(
    `unsupported format verb '${verb.mode}' in ${goQuote(verb.raw)} at offset ${verb.offset}`,
  );
}

function plain(verb: Verb, value: Value): string {
  if (!verb.flags.includes("#") && !value.isNull) {
    if (value.type.kind === "string") return textOf(value);
    if (value.type.kind === "number") {
      const number = numberOf(value);
      if (number.infinite) return number.negative ? "-Inf" : "+Inf";
      return (number.negative ? "-" : "") + formatFloat(number, "g", -1);
    }
  }
  return encodeJson(value);
}

function quoted(verb: Verb, given: string): string {
  const short = verb.precision ? graphemes(given).slice(0, verb.precision).join("") : given;
  return verb.mode === "q" ? jsonText(short) : short;
}

function padded(verb: Verb, given: string): string {
  const missing = (verb.width ?? 0) - graphemeCount(given);
  if (missing <= 0) return given;
  const pad = (verb.flags.includes("0") ? "0" : " ").repeat(missing);
  return verb.flags.includes("-") ? given + pad : pad + given;
}

const bases: Record<string, number> = { b: 2, d: 10, o: 8, x: 16, X: 16 };
const prefixes: Record<string, string> = { b: "0b", d: "", o: "0", x: "0x", X: "0X" };

/** As Go's fmt prints a `big.Int`. */
function integer(verb: Verb, value: Value): string {
  const given = numberOf(value);
  const whole = given.truncate();
  if (!given.isInteger || whole === undefined) throw new CtyError("an integer is required");
  const digits = (whole < 0n ? -whole : whole).toString(bases[verb.mode]);
  const shown = verb.mode === "X" ? digits.toUpperCase() : digits;
  if (verb.precision === 0 && shown === "0") return "";
  const prefix = verb.flags.includes("#") ? (prefixes[verb.mode] as string) : "";
  const number = shown.padStart(verb.precision ?? 0, "0");
  return spread(verb, signOf(verb, whole < 0n), prefix, number, verb.precision === undefined);
}

/** As Go's fmt prints a `big.Float`. */
function float(verb: Verb, value: Value): string {
  const given = numberOf(value);
  const isGeneral = verb.mode === "g" || verb.mode === "G";
  const precision = verb.precision ?? (isGeneral ? -1 : 6);
  const shown = given.infinite ? "Inf" : formatFloat(given, verb.mode, precision);
  const plus = given.infinite && !given.negative ? (verb.flags.includes(" ") ? " " : "+") : "";
  return spread(verb, plus || signOf(verb, given.negative), "", shown, !given.infinite);
}

function signOf(verb: Verb, negative: boolean): string {
  if (negative) return "-";
  return verb.flags.includes("+") ? "+" : verb.flags.includes(" ") ? " " : "";
}

function spread(verb: Verb, sign: string, prefix: string, digits: string, mayZero: boolean): string {
  const all = sign + prefix + digits;
  const missing = Math.max(0, (verb.width ?? 0) - all.length);
  if (verb.flags.includes("-")) return all + " ".repeat(missing);
  if (verb.flags.includes("0") && mayZero) return sign + prefix + "0".repeat(missing) + digits;
  return " ".repeat(missing) + all;
}
