import { Command } from "commander";
import { InvalidArgumentError } from "../../../core/index.js";
import { type BuildHistory, type BuildRecord, HistoryError, bundleBuilds } from "../../../manage/index.js";
import type { CliContext, GlobalFlags } from "../../cli-context.js";
import { prepareOutput } from "../../write-output.js";
import { withHistory } from "./with-history.js";

interface ExportFlags extends GlobalFlags {
  all?: boolean;
  finalize?: boolean;
  output?: string;
}

/** `slipway history export`: records with all that belongs to them as a file that Docker Desktop imports. */
export function exportCommand(context: CliContext): Command {
  return new Command("export")
    .description("Export build records into Docker Desktop bundle")
    .usage("[OPTIONS] [REF...]")
    .argument("[refs...]", "Builds, default the newest that has ended")
    .option("--all", "Export all build records for the builder")
    .option("--finalize", "Ensure build records are finalized before exporting")
    .option("-o, --output <string>", "Output file path")
    .action((refs: string[], _flags: ExportFlags, self: Command) =>
      run(refs, self.optsWithGlobals(), context),
    );
}

async function run(refs: readonly string[], flags: ExportFlags, context: CliContext): Promise<void> {
  const { signal, stdout } = context;
  if (flags.all && refs.length > 0) throw new InvalidArgumentError("cannot specify refs when using --all");
  if (!flags.output && stdout.isTerminal)
    throw new InvalidArgumentError("refusing to write to console, use --output to specify a file");
  const write = await prepareOutput(flags.output, context);
  await withHistory(context, flags, async (builds) => {
    const chosen = await choose(builds, refs, flags.all ?? false, signal);
    const records = flags.finalize
      ? await Promise.all(
          chosen.map(async (record) => (record.trace ? record : builds.finalize(record, { signal }))),
        )
      : chosen;
    await write(await bundleBuilds(builds, records, { signal }));
  });
}

async function choose(
  builds: BuildHistory,
  refs: readonly string[],
  all: boolean,
  signal: AbortSignal,
): Promise<BuildRecord[]> {
  const options = { completedOnly: true, signal };
  if (!all) {
    const found: BuildRecord[] = [];
    for (const ref of refs.length === 0 ? [""] : refs) found.push(...(await builds.recordsOf(ref, options)));
    return found;
  }
  const found = await builds.records(options);
  if (found.length === 0) throw new HistoryError("HISTORY_NOT_FOUND", "no records found");
  return found;
}
