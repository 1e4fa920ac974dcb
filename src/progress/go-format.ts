import { goFixed } from "../core/index.js";

/** Go's `%.4g` for amounts from 0 to below 10,000. */
function goShort(value: number): string {
  const text = value.toPrecision(4);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

const decimalUnits = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
const binaryUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];

/** An amount of bytes in progress lines: `512B`, `1.05MB` (tonistiigi/units `%.2f`, 1000-based). */
export function formatAmount(bytes: number): string {
  if (Math.abs(bytes) < 1000) return `${Math.trunc(bytes)}B`;
  let unit = 0;
  let base = 1;
  while (Math.abs(bytes) >= base * 1000 && unit < decimalUnits.length - 1) {
    base *= 1000;
    unit++;
  }
  return `${goFixed(bytes / base, 2)}${decimalUnits[unit]}`;
}

/** Bytes as `du` and `prune` show them: `2.746MB` (docker/go-units HumanSize, 1000-based, 4 digits). */
export function formatBytes(bytes: number): string {
  return shorten(bytes, 1000, decimalUnits);
}

/** Bytes as `inspect` shows limits: `17MiB` (docker/go-units BytesSize, 1024-based, 4 digits). */
export function formatBinaryBytes(bytes: number): string {
  return shorten(bytes, 1024, binaryUnits);
}

function shorten(bytes: number, base: number, units: readonly string[]): string {
  let size = bytes;
  let unit = 0;
  while (size >= base && unit < units.length - 1) {
    size /= base;
    unit++;
  }
  return `${goShort(size)}${units[unit]}`;
}

/** A span of milliseconds in words: `About a minute`, `4 hours` (docker/go-units HumanDuration). */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  const minutes = Math.trunc(milliseconds / 60_000);
  const hours = Math.trunc(milliseconds / 3_600_000 + 0.5);
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(Math.trunc(milliseconds / 3_600_000) / 24 / 365)} years`;
}

/** A span of milliseconds as Go's `time.Duration.String` writes it: `1h0m0s`, `1.5s`, `20ms`, `0s`. */
export function goDuration(milliseconds: number): string {
  if (milliseconds === 0) return "0s";
  const sign = milliseconds < 0 ? "-" : "";
  const nanoseconds = Math.round(Math.abs(milliseconds) * 1e6);
  if (nanoseconds < 1000) return `${sign}${nanoseconds}ns`;
  if (nanoseconds < 1e6) return `${sign}${nanoseconds / 1e3}µs`;
  if (nanoseconds < 1e9) return `${sign}${nanoseconds / 1e6}ms`;
  const total = Math.floor(nanoseconds / 1e9);
  const fraction = String(nanoseconds % 1e9)
    .padStart(9, "0")
    .replace(/0+$/, "");
  const seconds = `${total % 60}${fraction && `.${fraction}`}s`;
  const minutes = Math.floor(total / 60);
  if (minutes === 0) return sign + seconds;
  const hours = Math.floor(minutes / 60);
  return hours === 0 ? `${sign}${minutes}m${seconds}` : `${sign}${hours}h${minutes % 60}m${seconds}`;
}

/** RFC 3339 in UTC with the fraction cut short, as Go's RFC3339Nano: `2024-01-02T03:04:05.12Z`. */
export function goTimestamp(date: Date): string {
  return date.toISOString().replace(/\.?0*Z$/, "Z");
}
