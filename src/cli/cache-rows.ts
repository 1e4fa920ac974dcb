import type { CacheRecord } from "../manage/index.js";
import { formatBytes, humanDuration } from "../progress/index.js";

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

/** `4 hours ago`; empty for what was never used. */
export function lastUsed({ lastUsedAt }: CacheRecord): string {
  return lastUsedAt ? `${humanDuration(Date.now() - lastUsedAt.getTime())} ago` : "";
}

/** A record as a block of `Key: value` lines (`--verbose`). */
export function verboseRecord(record: CacheRecord): string {
  const lines: [string, string][] = [["ID", record.id]];
  if (record.parents.length > 0)
    lines.push(["Parents", ["", ...record.parents.map((parent) => ` - ${parent}`)].join("\n")]);
  lines.push(
    ["Created at", record.createdAt?.toISOString() ?? ""],
    ["Mutable", String(record.mutable)],
    ["Reclaimable", String(!record.inUse)],
    ["Shared", String(record.shared)],
    ["Size", formatBytes(record.size)],
  );
  if (record.description) lines.push(["Description", record.description]);
  lines.push(["Usage count", String(record.usageCount)]);
  if (record.lastUsedAt) lines.push(["Last used", lastUsed(record)]);
  if (record.type) lines.push(["Type", record.type]);
  return `${lines.map(([key, value]) => (value.startsWith("\n") ? `${key}:${value}` : `${`${key}:`.padEnd(14)}${value}`)).join("\n")}\n`;
}
