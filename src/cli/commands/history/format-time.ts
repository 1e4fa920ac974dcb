import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { goFixed } from "../../../core/index.js";

/** A span of ms as `history` shows it: `0.6s`, `1m  5s`. */
export function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${goFixed(seconds, 1)}s`;
  return `${Math.trunc(seconds / 60)}m ${String(Math.trunc(seconds) % 60).padStart(2)}s`;
}

/** A time as Go's RFC3339Nano, of here or of UTC. */
export function formatNanoTime({ seconds, nanos }: Timestamp, zone: "utc" | "local"): string {
  const date = new Date(Number(seconds) * 1000);
  const fraction = nanos === 0 ? "" : `.${String(nanos).padStart(9, "0").replace(/0+$/, "")}`;
  const minutes = zone === "utc" ? 0 : -date.getTimezoneOffset();
  const shifted = new Date(date.getTime() + minutes * 60_000);
  return `${shifted.toISOString().slice(0, 19)}${fraction}${offset(minutes)}`;
}

/** A time as `2006-01-02 15:04:05`, of here. */
export function formatLocalTime(date: Date): string {
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19).replace("T", " ");
}

/** A time as Go prints one, of here: `2006-01-02 15:04:05.999 +0000 UTC`. */
export function formatGoTime(date: Date): string {
  const fraction = date
    .toISOString()
    .slice(19, 23)
    .replace(/\.?0+$/, "");
  const zone = offset(-date.getTimezoneOffset());
  return `${formatLocalTime(date)}${fraction} ${zone === "Z" ? "+0000 UTC" : zone.replace(":", "")}`;
}

function offset(minutes: number): string {
  if (minutes === 0) return "Z";
  const size = Math.abs(minutes);
  const part = (value: number) => String(Math.trunc(value)).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${part(size / 60)}:${part(size % 60)}`;
}
