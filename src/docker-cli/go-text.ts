import { humanDuration } from "../progress/index.js";

const units = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Bytes as docker lists images and containers: `4.26MB` (docker/go-units HumanSizeWithPrecision, 1000-based, 3 digits). */
export function humanSize(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${Number(size.toPrecision(3))}${units[unit]}`;
}

/** `4 hours ago`, of Unix seconds. */
export function timeAgo(seconds: number, now = Date.now()): string {
  return `${humanDuration(now - seconds * 1000)} ago`;
}

/** Unix seconds as Go's `Time.String` shows them here: `2024-09-26 21:31:42 +0000 UTC`. */
export function goTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 19).replace("T", " ");
  const two = (value: number) => String(Math.trunc(value)).padStart(2, "0");
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.abs(offset) / 60)}${two(Math.abs(offset) % 60)}`;
  const name = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" })
    .formatToParts(date)
    .find(({ type }) => type === "timeZoneName")?.value;
  return `${local} ${zone} ${name ?? ""}`.trimEnd();
}

/** An id as docker shows it: 12 digits, without the algorithm. */
export function shortId(id: string): string {
  return id.replace(/^[a-z0-9]+:/, "").slice(0, 12);
}
