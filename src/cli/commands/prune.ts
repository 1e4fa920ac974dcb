import { Command, Option } from "commander";
import { loadDockerConfig } from "../../config/index.js";
import { parseCacheFilters, prune, withConfiguredFilters } from "../../manage/index.js";
import { formatBytes } from "../../progress/index.js";
import { collectFilter, lastUsed, verboseRecord } from "../cache-rows.js";
import type { CliContext, GlobalFlags } from "../cli-context.js";
import { confirm } from "../confirm.js";
import { bytes, duration } from "../flags.js";
import { withConnections } from "../with-connections.js";
import { warn } from "../warn.js";

interface PruneFlags extends GlobalFlags {
  all?: boolean;
  filter?: string[];
  force?: boolean;
  keepStorage?: number;
  maxUsedSpace?: number;
  minFreeSpace?: number;
  reservedSpace?: number;
  timeout: number;
  verbose?: boolean;
}

/** `slipway prune`: removes cache that nothing uses. */
export function command(context: CliContext): Command {
  return new Command("prune")
    .description("Remove build cache")
    .usage(" ")
    .option("-a, --all", "Include internal/frontend images")
    .option("--filter <filter>", "Provide filter values", collectFilter)
    .option("-f, --force", "Do not prompt for confirmation")
    .addOption(new Option("--keep-storage <bytes>").argParser(bytes).hideHelp())
    .option("--max-used-space <bytes>", "Maximum amount of disk space allowed to keep for cache", bytes)
    .option("--min-free-space <bytes>", "Target amount of free disk space after pruning", bytes)
    .option("--reserved-space <bytes>", "Amount of disk space always allowed to keep for cache", bytes)
    .option(
      "--timeout <duration>",
      "Override the default timeout for loading builder status",
      duration,
      20_000,
    )
    .option("--verbose", "Provide a more verbose output")
    .action((_flags: PruneFlags, self: Command) => run(self.optsWithGlobals(), context));
}

async function run(flags: PruneFlags, context: CliContext): Promise<void> {
  const { env, stdout, signal } = context;
  // Without them more would be removed than the user has said.
  const { pruneFilters } = await loadDockerConfig(env, { strict: true, signal });
  const filters = parseCacheFilters(withConfiguredFilters(flags.filter ?? [], pruneFilters));
  if (flags.keepStorage !== undefined) warn(context, "keep-storage flag has been changed to reserved-space");
  const what = flags.all ? "all build cache" : "all dangling build cache";
  const question = `WARNING! This will remove ${what}. Are you sure you want to continue?`;
  if (!flags.force && !(await confirm(context, question))) return;
  const { maxUsedSpace, minFreeSpace } = flags;
  let total = 0;
  let printedHeader = false;
  await withConnections(context, { builder: flags.builder, timeout: flags.timeout }, async (client) => {
    const options = {
      all: flags.all ?? false,
      ...filters,
      reservedSpace: flags.reservedSpace ?? flags.keepStorage ?? 0,
      maxUsedSpace: maxUsedSpace ?? 0,
      minFreeSpace: minFreeSpace ?? 0,
      signal,
    };
    for await (const record of prune(client, options)) {
      total += record.size;
      if (flags.verbose) {
        stdout.text(`${verboseRecord(record)}\n`);
        continue;
      }
      if (!printedHeader) stdout.text("ID\t\t\t\t\t\tRECLAIMABLE\tSIZE\t\tLAST ACCESSED\n");
      printedHeader = true;
      const id = `${record.id}${record.mutable ? "*" : ""}`.padEnd(40);
      const size = `${formatBytes(record.size)}${record.shared ? "*" : ""}`.padEnd(10);
      stdout.text(`${id}\t${String(!record.inUse).padEnd(5)}\t\t${size}\t${lastUsed(record)}\n`);
    }
  });
  stdout.text(`Total:\t${formatBytes(total)}\n`);
}
