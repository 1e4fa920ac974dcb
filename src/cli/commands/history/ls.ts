import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { Command } from "commander";
import { repositoryUrl } from "../../../build/index.js";
import { InvalidArgumentError } from "../../../core/index.js";
import { desktopUrl } from "../../../config/index.js";
import { type BuildRecord } from "../../../manage/index.js";
import { humanDuration, sanitizeName } from "../../../progress/index.js";
import type { CliContext, GlobalFlags } from "../../cli-context.js";
import { collect } from "../../flags.js";
import { type FormatRow, isTableFormat, printRows } from "../../format/index.js";
import { formatDuration, formatNanoTime } from "./format-time.js";
import { withHistory } from "./with-history.js";

const table = "{{.Ref}}\t{{.Name}}\t{{.Status}}\t{{.CreatedAt}}\t{{.Duration}}\t{{.Link}}";
const headers = {
  Ref: "BUILD ID",
  Name: "NAME",
  Status: "STATUS",
  CreatedAt: "CREATED AT",
  Duration: "DURATION",
  Link: "",
};

/** Characters of a name in a table. */
const shownName = 36;

interface LsFlags extends GlobalFlags {
  filter?: string[];
  format: string;
  local?: boolean;
  trunc: boolean;
}

/** `slipway history ls`: the builds of a builder, running ones first, then the newest. */
export function lsCommand(context: CliContext): Command {
  return new Command("ls")
    .description("List build records")
    .usage("[OPTIONS]")
    .option("--filter <stringArray>", 'Provide filter values (e.g., "status=error")', collect)
    .option("--format <string>", "Format the output", "table")
    .option("--local", "List records for current repository only")
    .option("--no-trunc", "Don't truncate output")
    .action((_flags: LsFlags, self: Command) => run(self.optsWithGlobals(), context));
}

async function run(flags: LsFlags, context: CliContext): Promise<void> {
  const { env, signal, stdout } = context;
  const local = flags.local ? [`repository=${await ownRepository(env, signal)}`] : [];
  const filters = [...local, ...(flags.filter ?? [])];
  const records = await withHistory(context, flags, (builds) => builds.records({ filters, signal }));
  const isRunning = ({ completedAt }: BuildRecord) => (completedAt ? 0 : 1);
  const sorted = records.sort((a, b) => isRunning(b) - isRunning(a));
  const options = {
    isTable: isTableFormat(flags.format),
    truncate: flags.trunc,
    link: (url: string) => stdout.link(url, "Open"),
  };
  printRows(stdout, {
    format: flags.format,
    defaultTable: table,
    headers,
    rows: sorted.map((record) => row(record, options)),
  });
}

async function ownRepository(env: CliContext["env"], signal: AbortSignal): Promise<string> {
  const url = await repositoryUrl(process.cwd(), { env, signal });
  if (url === undefined)
    throw new InvalidArgumentError(
      `could not get remote URL for local filter: ${process.cwd()} is not in a git repository with a remote`,
    );
  return url;
}

function row(
  record: BuildRecord,
  { isTable, truncate, link }: { isTable: boolean; truncate: boolean; link: (url: string) => string },
): FormatRow {
  const { id, ref, name, completedAt, createdAt, duration, steps, wire } = record;
  const status = completedAt ? (record.error ? "Error" : "Completed") : "Running";
  const url = desktopUrl(ref);
  const length = formatDuration(duration);
  return {
    fields: {
      Ref: id,
      FullRef: ref,
      Name: isTable ? sanitizeName(truncate ? lastPart(name, shownName) : name) : name,
      Status: status,
      CreatedAt: `${humanDuration(Date.now() - createdAt.getTime())} ago`,
      Duration: completedAt ? length : `${length}+`,
      Link: isTable ? link(url) : url,
    },
    json: new Map<string, unknown>([
      ["ref", ref],
      ["name", name],
      ["status", status],
      ["created_at", time(wire.CreatedAt)],
      ...(wire.CompletedAt ? ([["completed_at", time(wire.CompletedAt)]] as const) : []),
      ["total_steps", steps.total],
      ["completed_steps", steps.completed],
      ["cached_steps", steps.cached],
    ]),
  };
}

function time(timestamp: Timestamp | undefined): string {
  return timestamp ? formatNanoTime(timestamp, "utc") : "";
}

/** A text's end, with two dots in front when that is not all of it. */
function lastPart(text: string, length: number): string {
  const characters = Array.from(text);
  return characters.length <= length ? text : `..${characters.slice(2 - length).join("")}`;
}
