import { Command } from "commander";
import { InvalidArgumentError } from "../../core/index.js";
import { type CacheRecord, diskUsage, parseCacheFilters } from "../../manage/index.js";
import { formatBytes } from "../../progress/index.js";
import { collectFilter, createdAt, lastUsed, usageSummary, verboseRecord } from "../cache-rows.js";
import type { CliContext, GlobalFlags } from "../cli-context.js";
import { duration } from "../flags.js";
import { isTableFormat, printRows } from "../format/index.js";
import { withConnections } from "../with-connections.js";

const table = "{{.ID}}\t{{.Reclaimable}}\t{{.Size}}\t{{.LastUsedAt}}";
const headers = {
  ID: "ID",
  Parents: "PARENTS",
  CreatedAt: "CREATED AT",
  Mutable: "MUTABLE",
  Reclaimable: "RECLAIMABLE",
  Shared: "SHARED",
  Size: "SIZE",
  Description: "DESCRIPTION",
  UsageCount: "USAGE COUNT",
  LastUsedAt: "LAST ACCESSED",
  Type: "TYPE",
};

interface DuFlags extends GlobalFlags {
  filter?: string[];
  format?: string;
  timeout: number;
  verbose?: boolean;
}

/** `slipway du`: what the cache of a builder holds. */
export function command(context: CliContext): Command {
  return new Command("du")
    .description("Disk usage")
    .usage(" ")
    .option("--filter <filter>", "Provide filter values", collectFilter)
    .option("--format <string>", "Format the output")
    .option(
      "--timeout <duration>",
      "Override the default timeout for loading builder status",
      duration,
      20_000,
    )
    .option("--verbose", 'Shorthand for "--format=pretty"')
    .action((_flags: DuFlags, self: Command) => run(self.optsWithGlobals(), context));
}

async function run(flags: DuFlags, context: CliContext): Promise<void> {
  if (flags.format && flags.verbose)
    throw new InvalidArgumentError("--format and --verbose cannot be used together");
  const format = flags.format || (flags.verbose ? "pretty" : "table");
  const { filter } = parseCacheFilters(flags.filter ?? []);
  const { signal, stdout } = context;
  const found = await withConnections(context, { builder: flags.builder, timeout: flags.timeout }, (client) =>
    diskUsage(client, { filter, signal }),
  );
  const records = found.flat();
  if (format === "pretty") stdout.text(records.map((record) => `${verboseRecord(record)}\n`).join(""));
  else
    printRows(stdout, {
      format,
      defaultTable: table,
      headers,
      rows: records.map((record) => row(record, isTableFormat(format))),
    });
  const isDefault = format === "pretty" || format === "table";
  if (isDefault && !flags.filter?.length) stdout.text(usageSummary(records));
}

function row(record: CacheRecord, isTable: boolean) {
  const fields = {
    ID: `${record.id}${isTable && record.mutable ? "*" : ""}`,
    Parents: record.parents,
    CreatedAt: createdAt(record),
    Mutable: record.mutable,
    Reclaimable: !record.inUse,
    Shared: record.shared,
    Size: `${formatBytes(record.size)}${isTable && record.shared ? "*" : ""}`,
    Description: record.description,
    UsageCount: record.usageCount,
    LastUsedAt: lastUsed(record),
    Type: record.type,
  };
  // Go's nil list, where templates see an empty one.
  const parents = record.parents.length > 0 ? record.parents : null;
  return { fields, json: new Map<string, unknown>(Object.entries({ ...fields, Parents: parents })) };
}
