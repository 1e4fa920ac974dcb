import { Command } from "commander";
import {
  formatInGroups,
  openBuilderContext,
  resolveBuilder,
  truncatePlatforms,
} from "../../builder/index.js";
import type { GcRule } from "../../driver/index.js";
import type { CliContext } from "../cli-context.js";
import { duration } from "../flags.js";
import { type FormatRow, isTableFormat, printRows } from "../format/index.js";
import { type LoadedBuilder, type LoadedNode, loadBuilders } from "../load-builders.js";
import { warn } from "../warn.js";

const table = "{{.Name}}\t{{.DriverEndpoint}}\t{{.Status}}\t{{.Buildkit}}\t{{.Platforms}}";
const headers = {
  Name: "NAME/NODE",
  DriverEndpoint: "DRIVER/ENDPOINT",
  LastActivity: "LAST ACTIVITY",
  Status: "STATUS",
  Buildkit: "BUILDKIT",
  Platforms: "PLATFORMS",
};

interface LsFlags {
  format: string;
  trunc: boolean;
  timeout: number;
}

/** `slipway ls`: all builders with their nodes. A broken one is listed with its error and hides no other. */
export function command(context: CliContext): Command {
  return new Command("ls")
    .description("List builder instances")
    .usage(" ")
    .option("--format <string>", "Format the output", "table")
    .option("--no-trunc", "Don't truncate output")
    .option(
      "--timeout <duration>",
      "Override the default timeout for loading builder status",
      duration,
      20_000,
    )
    .action((flags: LsFlags) => run(flags, context));
}

async function run({ format, trunc, timeout }: LsFlags, context: CliContext): Promise<void> {
  const { env, signal, stdout, stderr } = context;
  const onWarning = (text: string) => warn(context, text);
  const builders = await openBuilderContext({ env, signal, onWarning });
  const current = await resolveBuilder(builders.store, { ...builders, signal });
  const loaded = await loadBuilders(builders, { timeout, signal, contexts: true, onWait: onWarning });
  const isTable = isTableFormat(format);
  const rows = loaded.flatMap((builder) => {
    const row = builderRow(builder, builder.name === current.name, isTable);
    if (format === "json" || builder.error !== undefined) return [row];
    const nodes = builder.nodes.flatMap((node) => nodeRows(node, isTable, isTable && trunc));
    return [row, ...nodes.map((node) => ({ ...node, json: row.json }))];
  });
  printRows(stdout, { format, defaultTable: table, headers, rows });
  const problems = isTable ? loaded.flatMap(problemsOf) : [];
  if (problems.length > 0) stderr.text(`\n${problems.join("")}`);
}

function builderRow(builder: LoadedBuilder, isCurrent: boolean, isTable: boolean): FormatRow {
  const lastActivity = builder.lastActivity?.toISOString().replace(/\.\d+Z$/, "Z");
  return {
    fields: {
      Name: `${builder.name}${isCurrent && isTable ? "*" : ""}`,
      DriverEndpoint: builder.driver,
      LastActivity: lastActivity ?? "",
      Status: builder.error === undefined ? "" : "error",
      Buildkit: "",
      Platforms: "",
      Error: builder.error ?? "",
    },
    // Names in order, as Go prints maps.
    json: {
      Current: isCurrent,
      Driver: builder.driver,
      Dynamic: builder.dynamic,
      ...(builder.error !== undefined && { Err: builder.error }),
      LastActivity: lastActivity ?? "0001-01-01T00:00:00Z",
      Name: builder.name,
      Nodes: builder.nodes.map(nodeJson),
    },
  };
}

/** A node's row, or those of its daemons if it has several, by their names: buildx repeats the node's. */
function nodeRows(loaded: LoadedNode, isTable: boolean, truncate: boolean): FormatRow[] {
  const { instances = [] } = loaded;
  const row = nodeRow(loaded, isTable, truncate);
  if (instances.length < 2) return [row];
  return instances.map(({ name, status, version, platforms, error }) => {
    const one = nodeRow(
      { ...loaded, status, platforms, ...(error !== undefined && { error }) },
      isTable,
      truncate,
    ).fields;
    const fields = { ...one, Name: isTable ? ` \\_ ${name}` : name, Buildkit: version ?? "" };
    return { ...row, fields };
  });
}

function nodeRow(loaded: LoadedNode, isTable: boolean, truncate: boolean): FormatRow {
  const indent = isTable ? " \\_ " : "";
  const { node } = loaded.node;
  const platforms = formatInGroups(node.platforms, loaded.platforms);
  return {
    fields: {
      Name: `${indent}${node.name}`,
      DriverEndpoint: `${indent}${node.endpoint}`,
      LastActivity: "",
      Status: loaded.error === undefined ? (loaded.status ?? "") : "error",
      Buildkit: loaded.version ?? "",
      Platforms: truncate ? truncatePlatforms(platforms) : platforms.join(", "),
      Error: loaded.error ?? "",
    },
  };
}

function nodeJson(loaded: LoadedNode): object {
  const { node } = loaded.node;
  const platforms = formatInGroups(node.platforms, loaded.platforms).map((text) => text.replace("*", ""));
  const hasAny = (record: object) => Object.keys(record).length > 0;
  return {
    ...(hasAny(node.driverOpts) && { DriverOpts: sorted(node.driverOpts) }),
    Endpoint: node.endpoint,
    ...(loaded.error !== undefined && { Err: loaded.error }),
    ...(node.files.size > 0 && {
      Files: Object.fromEntries(
        [...node.files].map(([name, data]) => [name, Buffer.from(data).toString("base64")]),
      ),
    }),
    ...(node.flags.length > 0 && { Flags: node.flags }),
    ...(loaded.gcPolicy.length > 0 && { GCPolicy: loaded.gcPolicy.map(gcPolicyJson) }),
    ...(loaded.workerIds.length > 0 && { IDs: loaded.workerIds }),
    ...(hasAny(loaded.labels) && { Labels: sorted(loaded.labels) }),
    Name: node.name,
    ...(platforms.length > 0 && { Platforms: platforms }),
    ...(loaded.status && { Status: loaded.status }),
    ...(loaded.version && { Version: loaded.version }),
  };
}

function gcPolicyJson(rule: GcRule): object {
  const { all, filters, keepDuration, maxUsedSpace, minFreeSpace, reservedSpace } = rule;
  const filter = filters.length > 0 ? filters : null;
  return { all, filter, keepDuration: keepDuration * 1e6, maxUsedSpace, minFreeSpace, reservedSpace };
}

function sorted(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function problemsOf(builder: LoadedBuilder): string[] {
  if (builder.error !== undefined) return [`Cannot load builder ${builder.name}: ${builder.error.trim()}\n`];
  return builder.nodes
    .filter(({ error }) => error !== undefined)
    .map(
      ({ node, error = "" }) => `Failed to get status for ${builder.name} (${node.name}): ${error.trim()}\n`,
    );
}
