import { Command } from "commander";
import { Builder, formatInGroups } from "../../builder/index.js";
import type { Device, GcRule } from "../../driver/index.js";
import { display, formatBinaryBytes, goDuration, sanitizeName } from "../../progress/index.js";
import type { CliContext, GlobalFlags } from "../cli-context.js";
import { duration } from "../flags.js";
import { alignTabs } from "../format/index.js";
import { type LoadedNode, loadBuilder } from "../load-builders.js";
import { warn } from "../warn.js";

interface InspectFlags extends GlobalFlags {
  bootstrap?: boolean;
  timeout: number;
}

/** `slipway inspect`: everything there is to know of a builder, with its cache rules and config files. */
export function command(context: CliContext): Command {
  return new Command("inspect")
    .description("Inspect current builder instance")
    .usage("[NAME]")
    .argument("[name]", "Builder, default the current one")
    .option("--bootstrap", "Ensure builder has booted before inspecting")
    .option(
      "--timeout <duration>",
      "Override the default timeout for loading builder status",
      duration,
      20_000,
    )
    .action((name: string | undefined, _flags: InspectFlags, self: Command) =>
      run(name, self.optsWithGlobals(), context),
    );
}

async function run(name: string | undefined, flags: InspectFlags, context: CliContext): Promise<void> {
  const { env, signal, stdout, stderr } = context;
  const onWarning = (text: string) => warn(context, text);
  const builder = await Builder.open({ name: name ?? flags.builder, env, signal, onWarning });
  if (flags.bootstrap) {
    const progress = display("auto", stderr.stream, env);
    try {
      await builder.boot({ onEvent: progress, signal });
    } finally {
      progress({ type: "end" });
      await progress.close();
    }
  }
  const { driver, lastActivity, nodes } = await loadBuilder(builder, {
    timeout: flags.timeout,
    signal,
    onWait: onWarning,
  });
  const lines = [`Name:\t${builder.name}`, `Driver:\t${driver}`];
  if (lastActivity) lines.push(`Last Activity:\t${goTime(lastActivity)}`);
  lines.push("", "Nodes:");
  for (const [index, node] of nodes.entries()) {
    if (index > 0) lines.push("");
    lines.push(...nodeLines(node, flags.debug ?? false));
  }
  stdout.text(alignTabs(`${lines.map(oneLine).join("\n")}\n`, { minWidth: 0, padding: 1 }));
}

/** What a builder says of itself stays on its line; its columns are made of tabs. */
function oneLine(line: string): string {
  return line.split("\t").map(sanitizeName).join("\t");
}

/** Go's default layout of a time, in UTC. */
function goTime(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace("T", " ")} +0000 UTC`;
}

function nodeLines(loaded: LoadedNode, debug: boolean): string[] {
  const { node } = loaded.node;
  const lines = [`Name:\t${node.name}`, `Endpoint:\t${node.endpoint}`];
  const options = Object.entries(node.driverOpts).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  if (options.length > 0) lines.push(`Driver Options:\t${options.join(" ")}`);
  if (loaded.error !== undefined) return [...lines, `Error:\t${loaded.error}`];
  lines.push(`Status:\t${loaded.status ?? ""}`);
  for (const { name, status, version, error } of loaded.instances ?? [])
    lines.push(`Pod:\t${name} (${[status, version, error].filter(Boolean).join(", ")})`);
  if (node.flags.length > 0) lines.push(`BuildKit daemon flags:\t${node.flags.join(" ")}`);
  if (loaded.version) lines.push(`BuildKit version:\t${loaded.version}`);
  const platforms = formatInGroups(node.platforms, loaded.platforms);
  if (platforms.length > 0) lines.push(`Platforms:\t${platforms.join(", ")}`);
  if (debug) lines.push(...featureLines(node.driverOpts));
  const labels = Object.entries(loaded.labels).sort(([a], [b]) => (a < b ? -1 : 1));
  if (labels.length > 0) lines.push("Labels:", ...labels.map(([key, value]) => `\t${key}:\t${value}`));
  if (loaded.devices.length > 0) lines.push("Devices:", ...loaded.devices.flatMap(deviceLines));
  lines.push(...loaded.gcPolicy.flatMap(gcRuleLines));
  for (const [name, content] of node.files) {
    lines.push(`File#${name}:`);
    for (const line of Buffer.from(content).toString("utf8").split("\n")) lines.push(`\t> ${line}`);
  }
  return lines;
}

function deviceLines({ name, onDemand, autoAllow, annotations }: Device): string[] {
  const allowed = onDemand ? "\tOn-Demand:\ttrue" : `\tAutomatically allowed:\t${autoAllow}`;
  const lines = Object.entries(annotations).map(([key, value]) => `\t\t${key}:\t${value}`);
  return [`\tName:\t${name}`, allowed, ...(lines.length > 0 ? ["\tAnnotations:", ...lines] : [])];
}

function gcRuleLines(rule: GcRule, index: number): string[] {
  const lines = [`GC Policy rule#${index}:`, `\tAll:\t${rule.all}`];
  if (rule.filters.length > 0) lines.push(`\tFilters:\t${rule.filters.join(" ")}`);
  if (rule.keepDuration > 0) lines.push(`\tKeep Duration:\t${goDuration(rule.keepDuration)}`);
  if (rule.reservedSpace > 0) lines.push(`\tReserved Space:\t${formatBinaryBytes(rule.reservedSpace)}`);
  if (rule.maxUsedSpace > 0) lines.push(`\tMax Used Space:\t${formatBinaryBytes(rule.maxUsedSpace)}`);
  if (rule.minFreeSpace > 0) lines.push(`\tMin Free Space:\t${formatBinaryBytes(rule.minFreeSpace)}`);
  return lines;
}

function featureLines(driverOpts: Readonly<Record<string, string>>): string[] {
  const features = {
    "Automatically load images to the Docker Engine image store": driverOpts["default-load"] === "true",
    "Cache export": true,
    "Direct push": true,
    "Docker exporter": true,
    "Multi-platform build": true,
    "OCI exporter": true,
  };
  return ["Features:", ...Object.entries(features).map(([name, on]) => `\t${name}:\t${on}`)];
}
