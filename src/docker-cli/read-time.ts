import { parseGoDuration } from "../config/index.js";
import { InvalidArgumentError } from "../core/index.js";

/**
 * A point of time as docker's options take it, in Unix seconds: Unix seconds, a date of RFC 3339 or a part of one (in the time zone
 * here where it names none), or how long ago, such as `42m` (moby api/types/time GetTimestamp).
 *
 * @throws InvalidArgumentError
 */
export function readTime(text: string, now = Date.now()): number {
  if (/^\d{1,12}(?:\.\d{1,9})?$/.test(text)) return Number(text);
  if (/^(?:\d{1,9}(?:\.\d{1,9})?(?:ns|us|\u00b5s|ms|s|m|h))+$/.test(text))
    return (now - parseGoDuration(text)) / 1000;
  const [, date, time] =
    /^(\d{4}-\d\d-\d\d)(?:T(\d\d(?::\d\d){0,2}(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?))?$/.exec(text) ?? [];
  // Without a time, Date takes UTC.
  const complete =
    time === undefined
      ? `${date}T00:00`
      : `${date}T${/^\d\d(?=$|Z|[+-])/.test(time) ? time.replace(/^\d\d/, "$&:00") : time}`;
  const milliseconds = date === undefined ? Number.NaN : Date.parse(complete);
  if (Number.isNaN(milliseconds))
    throw new InvalidArgumentError(
      `invalid time ${JSON.stringify(text)}: give Unix seconds, a time such as 2006-01-02T15:04:05Z, or how long ago, such as 42m`,
    );
  return milliseconds / 1000;
}
