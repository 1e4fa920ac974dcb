import { type CacheRecord, checkCacheFilter } from "../manage/index.js";
import { collect } from "./flags.js";
import { formatBytes, humanDuration, sanitizeName } from "../progress/index.js";

/** The end of `du` and `prune`: what is shared, reclaimable and there in all. */
export function usageSummary(records: readonly CacheRecord[]): string {
  const sum = (list: readonly CacheRecord[]) =>
    list.reduce((total, { size }) => total + Math.max(size, 0), 0);
  const total = sum(records);
  const shared = sum(records.filter((record) => record.shared));
  const lines = [
    ...(shared > 0 ? [`Shared:\t\t${formatBytes(shared)}`, `Private:\t${formatBytes(total - shared)}`] : []),
    `Reclaimable:\t${formatBytes(sum(records.filter(({ inUse }) => !inUse)))}`,
    `Total:\t\t${formatBytes(total)}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** When a record was made, as Go prints a time in UTC: `2006-01-02 15:04:05.999999999 +0000 UTC`. */
export function createdAt({ wire: { CreatedAt: time } }: CacheRecord): string {
  if (!time) return "";
  const whole = new Date(Number(time.seconds) * 1000).toISOString().slice(0, 19).replace("T", " ");
  const fraction = time.nanos === 0 ? "" : `.${String(time.nanos).padStart(9, "0").replace(/0+$/, "")}`;
  return `${whole}${fraction} +0000 UTC`;
}

/** Collects filters of a flag, each looked at at once. */
export function collectFilter(value: string, previous: unknown): string[] {
  checkCacheFilter(value);
  return collect(value, previous);
}

/** `4 hours ago`; empty for what was never used. */
export function lastUsed({ lastUsedAt }: CacheRecord): string {
  return lastUsedAt ? `${humanDuration(Date.now() - lastUsedAt.getTime())} ago` : "";
}

/** A record as a block of `Key: value` lines (`--verbose`). */
export function verboseRecord(record: CacheRecord): string {
  const lines: [string, string][] = [["ID", sanitizeName(record.id)]];
  if (record.parents.length > 0)
    lines.push(["Parents", ["", ...record.parents.map((parent) => ` - ${sanitizeName(parent)}`)].join("\n")]);
  lines.push(
    ["Created at", createdAt(record)],
    ["Mutable", String(record.mutable)],
    ["Reclaimable", String(!record.inUse)],
    ["Shared", String(record.shared)],
    ["Size", formatBytes(record.size)],
  );
  if (record.description) lines.push(["Description", sanitizeName(record.description)]);
  lines.push(["Usage count", String(record.usageCount)]);
  if (record.lastUsedAt) lines.push(["Last used", lastUsed(record)]);
  if (record.type) lines.push(["Type", sanitizeName(record.type)]);
  return `${lines.map(([key, value]) => (value.startsWith("\n") ? `${key}:${value}` : `${`${key}:`.padEnd(14)}${value}`)).join("\n")}\n`;
}
