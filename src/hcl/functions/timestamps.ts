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

/** Parts of a timestamp in their order: what it is called, its form, and its largest value. */
const layout: [name: string, size: number, least: number, most: number, behind: string][] = [
  ["year", 4, 0, 9999, "-"],
  ["month", 2, 1, 12, "-"],
  ["day of month", 2, 1, 31, "T"],
  ["hour", 2, 0, 23, ":"],
  ["minute", 2, 0, 59, ":"],
  ["second", 2, 0, 59, ""],
];

/** RFC 3339 strictly; a CtyError says what is missing. go-cty 1.17 function/stdlib/datetime.go `parseTimestamp`. */
export function parseTimestamp(given: string): Moment {
  const refuse = (reason: string) => new CtyError(`not a valid RFC3339 timestamp: ${reason}`);
  const numbers: number[] = [];
  let rest = given;
  for (const [name, size, least, most, behind] of layout) {
    const digits = rest.slice(0, size);
    if (rest === "") throw refuse(`end of string before ${name}`);
    if (digits.length < size || !/^[0-9]+$/.test(digits)) {
      if (name === "hour" || name === "minute") throw refuse(`${name} must have exactly two digits`);
      throw refuse(`cannot use ${goQuote(rest)} as ${name}`);
    }
    const value = Number(digits);
    if (value < least || value > most) {
      if (name === "hour") throw refuse("hour must be between 0 and 23 inclusive");
      throw new CtyError(
        `not a valid RFC3339 timestamp: ${name === "day of month" ? "day" : name} out of range`,
      );
    }
    numbers.push(value);
    rest = rest.slice(size);
    if (behind === "") break;
    if (!rest.startsWith(behind)) {
      if (behind === "T") throw refuse("missing required time introducer 'T'");
      if (rest === "") throw refuse(`end of string where ${goQuote(behind)} is expected`);
      throw refuse(`found ${goQuote(rest)} where ${goQuote(behind)} is expected`);
    }
    rest = rest.slice(1);
  }
  const [year, month, day, hour, minute, second] = numbers as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (day > new Date(Date.UTC(year, month, 0)).getUTCDate()) throw refuse("day out of range");
  const fraction = /^\.([0-9]+)/.exec(rest);
  rest = rest.slice(fraction?.[0].length ?? 0);
  if (rest === "") throw refuse("end of string before UTC offset");
  const zone = /^(?:Z|([+-])([01][0-9]|2[0-4]):([0-5][0-9]))$/.exec(rest);
  if (!zone) throw refuse(`cannot use ${goQuote(rest)} as UTC offset`);
  const offset = zone[1] ? (zone[1] === "-" ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3])) : 0;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const nanoseconds = BigInt((fraction?.[1] ?? "").slice(0, 9).padEnd(9, "0"));
  return momentAt(date.getTime() / 1000 - offset * 60, offset, nanoseconds);
}
