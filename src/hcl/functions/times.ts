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

function verbText(verb: string, letter: string, moment: Moment): string {
  const refuse = (rule: string) => new ArgumentError(0, `invalid date format verb ${goQuote(verb)}${rule}`);
  const padded = (given: number) => String(given).padStart(verb.length, "0");
  const short = (given: number, what: string) => {
    if (verb.length > 2) throw refuse(`: ${what} must either be "${letter}" or "${letter}${letter}"`);
    return padded(given);
  };
  switch (letter) {
    case "Y":
      if (verb.length !== 2 && verb.length !== 4) throw refuse(': year must either be "YY" or "YYYY"');
      return padded(verb.length === 2 ? moment.year % 100 : moment.year);
    case "M": {
      if (verb.length > 4) throw refuse(': month must be "M", "MM", "MMM", or "MMMM"');
      if (verb.length < 3) return padded(moment.month);
      const name = months[moment.month - 1] as string;
      return verb.length === 3 ? name.slice(0, 3) : name;
    }
    case "D":
      return short(moment.day, "day of month");
    case "E": {
      const name = weekdays[moment.weekday] as string;
      if (verb.length === 3) return name.slice(0, 3);
      if (verb.length === 4) return name;
      throw refuse(': day of week must either be "EEE" or "EEEE"');
    }
    case "h":
      return short(moment.hour, "24-hour");
    case "H":
      return short(moment.hour % 12 || 12, "12-hour");
    case "A":
    case "a": {
      if (verb.length !== 2) throw refuse(`: must be "${letter}${letter}"`);
      const half = moment.hour < 12 ? "am" : "pm";
      return letter === "A" ? half.toUpperCase() : half;
    }
    case "m":
      return short(moment.minute, "minute");
    case "s":
      return short(moment.second, "second");
    case "Z": {
      const { zone } = moment;
      if (verb.length === 1) return zone === "+00:00" ? "Z" : zone;
      if (verb.length === 3) return zone === "+00:00" ? "UTC" : zone.replace(":", "");
      if (verb.length === 4) return zone.replace(":", "");
      if (verb.length === 5) return zone;
      throw refuse(": timezone must be Z, ZZZZ, or ZZZZZ");
    }
    default:
      throw refuse("");
  }
}
