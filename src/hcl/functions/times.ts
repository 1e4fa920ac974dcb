import { ArgumentError, CtyError } from "../cty-error.js";
import { goQuote } from "../go-quote.js";
import { numberType, objectOf, stringType } from "../types.js";
import { type Value, integerValue, numberOf, objectValue, textOf, textValue } from "../value.js";
import { any, at, define, number, text } from "./define.js";
import { parseDuration } from "./parse-duration.js";
import { type Moment, momentAt, parseTimestamp, timestampText } from "./timestamps.js";

const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]; // prettier-ignore
const weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

export const timestamp = define([], stringType, () =>
  textValue(timestampText(momentAt(Math.floor(Date.now() / 1000), 0))),
);

export const timeAdd = define([text("timestamp"), text("duration")], stringType, (args) => {
  const moment = parseTimestamp(textOf(at(args, 0)));
  const sum = moment.nanoseconds + parseDuration(textOf(at(args, 1)));
  const seconds = moment.seconds + Number(sum / 1_000_000_000n) - (sum % 1_000_000_000n < 0n ? 1 : 0);
  return textValue(timestampText(momentAt(seconds, moment.offset)));
});

export const formatDate = define([text("format"), text("time")], stringType, (args) =>
  textValue(formatted(textOf(at(args, 0)), momentOf(at(args, 1)))),
);

export const formatTimestamp = define([text("format"), any("time")], stringType, (args) => {
  const format = textOf(at(args, 0));
  const given = at(args, 1);
  const { kind } = given.type;
  if (kind !== "string" && kind !== "number") {
    throw new ArgumentError(1, "must be a string timestamp or a unix timestamp number");
  }
  if (format === "X") {
    if (kind === "number") return textValue(String(unixSeconds(given)));
    try {
      return textValue(String(parseTimestamp(textOf(given)).seconds));
    } catch {
      throw new ArgumentError(1, "timestamp string must be RFC3339");
    }
  }
  return textValue(formatted(format, kind === "number" ? momentAt(unixSeconds(given), 0) : momentOf(given)));
});

const parts = [
  "year",
  "year_day",
  "day",
  "month",
  "weekday",
  "hour",
  "minute",
  "second",
  "iso_year",
  "iso_week",
];
const names = ["month_name", "weekday_name", "rfc3339"];

export const unixTimestampParse = define(
  [number("unix_timestamp")],
  objectOf([
    ...parts.map((name) => [name, numberType] as const),
    ...names.map((name) => [name, stringType] as const),
  ]),
  (args) => {
    const moment = momentAt(unixSeconds(at(args, 0)), 0);
    const { year, month, day, weekday } = moment;
    const days = (Date.UTC(year, month - 1, day) - Date.UTC(year, 0, 1)) / 86_400_000;
    const [isoYear, isoWeek] = isoWeekOf(moment);
    const numbers = [
      year,
      days + 1,
      day,
      month,
      weekday,
      moment.hour,
      moment.minute,
      moment.second,
      isoYear,
      isoWeek,
    ];
    return objectValue([
      ...parts.map((name, position): [string, Value] => [name, integerValue(numbers[position] as number)]),
      ["month_name", textValue(months[month - 1] as string)],
      ["weekday_name", textValue(weekdays[weekday] as string)],
      ["rfc3339", textValue(timestampText(moment))],
    ]);
  },
);

/** The week that holds most of a day's own belongs to its year. */
function isoWeekOf({ year, month, day, weekday }: Moment): [number, number] {
  const thursday = new Date(Date.UTC(year, month - 1, day + 4 - (weekday === 0 ? 7 : weekday)));
  const isoYear = thursday.getUTCFullYear();
  return [isoYear, Math.floor((thursday.getTime() - Date.UTC(isoYear, 0, 1)) / 86_400_000 / 7) + 1];
}

function unixSeconds(value: Value): number {
  const whole = numberOf(value).truncate();
  if (!numberOf(value).isInteger || whole === undefined) {
    throw new ArgumentError(value.type.kind === "number" ? 0 : 1, "unix timestamp must be an integer");
  }
  return Number(whole);
}

function momentOf(value: Value): Moment {
  try {
    return parseTimestamp(textOf(value));
  } catch (error) {
    if (error instanceof CtyError) throw new ArgumentError(1, error.message);
    throw error;
  }
}

const pieces = /''|'(?:[^']|'')*'?|([a-zA-Z])\1*|[^'a-zA-Z]+/g;

/** go-cty 1.17 function/stdlib/datetime.go `FormatDateFunc`. */
function formatted(format: string, moment: Moment): string {
  let result = "";
  for (const [piece, verb] of format.matchAll(pieces)) {
    if (verb) result += verbText(piece, verb, moment);
    else if (piece === "''") result += "'";
    else if (!piece.startsWith("'")) result += piece;
    else if (piece.length === 1 || !piece.endsWith("'")) throw new ArgumentError(0, "unterminated literal '");
    else result += piece.slice(1, -1).replaceAll("''", "'");
  }
  return result;
}

/** A verb of a date's format: one letter, once or several times. */
interface DateVerb {
  readonly letter: string;
  readonly count: number;
  readonly moment: Moment;
  /** A number in as many digits at least. */
  readonly padded: (number: number) => string;
  readonly refuse: (rule: string) => never;
}

function verbText(verb: string, letter: string, moment: Moment): string {
  const refuse = (rule: string): never => {
    throw new ArgumentError(0, `invalid date format verb ${goQuote(verb)}${rule}`);
  };
  const padded = (number: number) => String(number).padStart(verb.length, "0");
  const write = Object.hasOwn(dateVerbs, letter) ? dateVerbs[letter] : undefined;
  return write ? write({ letter, count: verb.length, moment, padded, refuse }) : refuse("");
}

const dateVerbs: Readonly<Record<string, (verb: DateVerb) => string>> = {
  Y({ count, moment, padded, refuse }) {
    if (count !== 2 && count !== 4) refuse(': year must either be "YY" or "YYYY"');
    return padded(count === 2 ? moment.year % 100 : moment.year);
  },
  M({ count, moment, padded, refuse }) {
    if (count > 4) refuse(': month must be "M", "MM", "MMM", or "MMMM"');
    return count < 3 ? padded(moment.month) : named(months[moment.month - 1], count);
  },
  D: shortNumber("day of month", ({ day }) => day),
  E({ count, moment, refuse }) {
    if (count !== 3 && count !== 4) refuse(': day of week must either be "EEE" or "EEEE"');
    return named(weekdays[moment.weekday], count);
  },
  h: shortNumber("24-hour", ({ hour }) => hour),
  H: shortNumber("12-hour", ({ hour }) => hour % 12 || 12),
  A: (verb) => half(verb).toUpperCase(),
  a: half,
  m: shortNumber("minute", ({ minute }) => minute),
  s: shortNumber("second", ({ second }) => second),
  Z({ count, moment: { zone }, refuse }) {
    const isUtc = zone === "+00:00";
    const short = zone.replace(":", "");
    const forms: Readonly<Record<number, string>> = {
      1: isUtc ? "Z" : zone,
      3: isUtc ? "UTC" : short,
      4: short,
      5: zone,
    };
    return forms[count] ?? refuse(": timezone must be Z, ZZZZ, or ZZZZZ");
  },
};

/** A number of one digit or two. */
function shortNumber(what: string, of: (moment: Moment) => number): (verb: DateVerb) => string {
  return ({ letter, count, moment, padded, refuse }) => {
    if (count > 2) refuse(`: ${what} must either be "${letter}" or "${letter}${letter}"`);
    return padded(of(moment));
  };
}

/** The name, or its beginning. */
function named(name = "", count: number): string {
  return count === 3 ? name.slice(0, 3) : name;
}

function half({ letter, count, moment, refuse }: DateVerb): string {
  if (count !== 2) refuse(`: must be "${letter}${letter}"`);
  return moment.hour < 12 ? "am" : "pm";
}
