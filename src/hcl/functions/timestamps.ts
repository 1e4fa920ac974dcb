import { CtyError } from "../cty-error.js";
import { goQuote } from "../go-quote.js";

/** A moment as it is shown where it was taken. */
export interface Moment {
  /** Since 1970, UTC. */
  readonly seconds: number;
  readonly nanoseconds: bigint;
  /** Minutes that its clock is ahead of UTC. */
  readonly offset: number;
  /** The same as `+01:00`. */
  readonly zone: string;
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

export function momentAt(seconds: number, offset: number, nanoseconds = 0n): Moment {
  const date = new Date((seconds + offset * 60) * 1000);
  if (Number.isNaN(date.getTime())) throw new CtyError("timestamp out of range");
  const size = Math.abs(offset);
  const two = (value: number) => String(value).padStart(2, "0");
  return {
    seconds,
    nanoseconds,
    offset,
    zone: `${offset < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`,
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  };
}

/** RFC 3339, to the second. */
export function timestampText({ year, month, day, hour, minute, second, zone }: Moment): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;
  return `${date}T${two(hour)}:${two(minute)}:${two(second)}${zone === "+00:00" ? "Z" : zone}`;
}

/** A number of a timestamp, and the character behind it. */
interface Part {
  readonly name: string;
  readonly size: number;
  readonly least: number;
  readonly most: number;
  readonly behind: string;
}

/** In their order. */
const layout: readonly Part[] = [
  { name: "year", size: 4, least: 0, most: 9999, behind: "-" },
  { name: "month", size: 2, least: 1, most: 12, behind: "-" },
  { name: "day of month", size: 2, least: 1, most: 31, behind: "T" },
  { name: "hour", size: 2, least: 0, most: 23, behind: ":" },
  { name: "minute", size: 2, least: 0, most: 59, behind: ":" },
  { name: "second", size: 2, least: 0, most: 59, behind: "" },
];
type SixNumbers = [number, number, number, number, number, number];

/** RFC 3339 strictly; a CtyError says what is missing. go-cty 1.17 function/stdlib/datetime.go `parseTimestamp`. */
export function parseTimestamp(given: string): Moment {
  const numbers: number[] = [];
  let rest = given;
  for (const part of layout) {
    numbers.push(readNumber(rest, part));
    rest = withoutSeparator(rest.slice(part.size), part.behind);
  }
  const [year, month, day, hour, minute, second] = numbers as SixNumbers;
  if (day > new Date(Date.UTC(year, month, 0)).getUTCDate()) throw invalid("day out of range");
  const fraction = /^\.([0-9]+)/.exec(rest);
  const offset = readOffset(rest.slice(fraction?.[0].length ?? 0));
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const nanoseconds = BigInt((fraction?.[1] ?? "").slice(0, 9).padEnd(9, "0"));
  return momentAt(date.getTime() / 1000 - offset * 60, offset, nanoseconds);
}

function invalid(reason: string): CtyError {
  return new CtyError(`not a valid RFC3339 timestamp: ${reason}`);
}

/** The number that a text begins with. */
function readNumber(text: string, { name, size, least, most }: Part): number {
  const digits = text.slice(0, size);
  if (text === "") throw invalid(`end of string before ${name}`);
  if (digits.length < size || !/^[0-9]+$/.test(digits)) {
    if (name === "hour" || name === "minute") throw invalid(`${name} must have exactly two digits`);
    throw invalid(`cannot use ${goQuote(text)} as ${name}`);
  }
  const value = Number(digits);
  if (value >= least && value <= most) return value;
  if (name === "hour") throw invalid("hour must be between 0 and 23 inclusive");
  throw invalid(`${name === "day of month" ? "day" : name} out of range`);
}

/** What follows the separator that a text begins with. */
function withoutSeparator(text: string, separator: string): string {
  if (text.startsWith(separator)) return text.slice(separator.length);
  if (separator === "T") throw invalid("missing required time introducer 'T'");
  if (text === "") throw invalid(`end of string where ${goQuote(separator)} is expected`);
  throw invalid(`found ${goQuote(text)} where ${goQuote(separator)} is expected`);
}

/** Minutes ahead of UTC. */
function readOffset(text: string): number {
  if (text === "") throw invalid("end of string before UTC offset");
  const zone = /^(?:Z|([+-])([01][0-9]|2[0-4]):([0-5][0-9]))$/.exec(text);
  if (!zone) throw invalid(`cannot use ${goQuote(text)} as UTC offset`);
  return zone[1] ? (zone[1] === "-" ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3])) : 0;
}
