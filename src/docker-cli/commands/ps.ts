import { Command } from "commander";
import { type FormatRow, printRows } from "../../cli/index.js";
import type { ContainerSummary } from "../../engine-api/index.js";
import { type DockerContext, withEngine } from "../docker-context.js";
import { addFilter, readFilters } from "../filters.js";
import { goTime, humanSize, shortId, timeAgo } from "../go-text.js";
import { readNumber } from "../numbers.js";

interface PsFlags {
  all?: boolean;
  filter?: string[];
  format?: string;
  last?: number;
  latest?: boolean;
  /** `--no-trunc`. */
  trunc: boolean;
  quiet?: boolean;
  size?: boolean;
}

const headers = {
  ID: "CONTAINER ID",
  Names: "NAMES",
  Image: "IMAGE",
  Command: "COMMAND",
  CreatedAt: "CREATED AT",
  RunningFor: "CREATED",
  Ports: "PORTS",
  State: "STATE",
  Status: "STATUS",
  Size: "SIZE",
  Labels: "LABELS",
  Mounts: "MOUNTS",
  LocalVolumes: "LOCAL VOLUMES",
  Networks: "NETWORKS",
};

/** `docker ps`: the engine's containers. */
export function ps(context: DockerContext): Command {
  const command = new Command("ps")
    .description("List containers")
    .usage("[OPTIONS]")
    .option("-a, --all", "Show all containers (default shows just running)")
    .option("--format <string>", "Format output using a custom template: table, json, or a Go template")
    .option("-n, --last <int>", "Show n last created containers (includes all states)", readNumber)
    .option("-l, --latest", "Show the latest created container (includes all states)")
    .option("--no-trunc", "Don't truncate output")
    .option("-q, --quiet", "Only display container IDs")
    .option("-s, --size", "Display total file sizes");
  return addFilter(command).action((flags: PsFlags) => run(flags, context));
}

async function run(flags: PsFlags, context: DockerContext): Promise<void> {
  const { all = false, size = false, latest, last } = flags;
  const limit = latest ? 1 : last !== undefined && last > 0 ? last : undefined;
  const summaries = await withEngine(context, ({ containers }) =>
    containers.list({
      all,
      size,
      filters: readFilters(flags.filter),
      signal: context.signal,
      ...(limit !== undefined && { limit }),
    }),
  );
  printRows(context.stdout, {
    format: flags.quiet ? "{{.ID}}" : flags.format || "table",
    defaultTable: `{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}${size ? "\t{{.Size}}" : ""}`,
    headers,
    rows: summaries.map((summary) => rowOf(summary, flags)),
  });
}

/** What templates see of a container (docker/cli formatter/container.go). */
function rowOf(summary: ContainerSummary, { trunc }: PsFlags): FormatRow {
  const labels = Object.entries(summary.Labels);
  const mounts = summary.Mounts.map(({ Name, Source }) => Name ?? Source);
  const fields = {
    Command: JSON.stringify(trunc ? ellipsis(summary.Command, 20) : summary.Command),
    CreatedAt: goTime(summary.Created),
    ID: trunc ? shortId(summary.Id) : summary.Id,
    Image: imageOf(summary, trunc),
    Labels: labels.map(([key, value]) => `${key}=${value}`).join(","),
    LocalVolumes: String(summary.Mounts.filter((mount) => mount.Type === "volume").length),
    Mounts: mounts.map((name) => (trunc ? ellipsis(name, 15) : name)).join(","),
    Names: namesOf(summary, trunc),
    Networks: Object.keys(summary.NetworkSettings?.Networks ?? {}).join(","),
    Ports: portsOf(summary),
    RunningFor: timeAgo(summary.Created),
    Size: sizeOf(summary),
    State: summary.State,
    Status: summary.Status,
  };
  const values = new Map(labels);
  return {
    fields: { ...fields, Label: (name: string) => values.get(name) ?? "" },
    json: new Map(Object.entries(fields)),
  };
}

function imageOf({ Image, ImageID }: ContainerSummary, trunc: boolean): string {
  if (Image === "") return "<no image>";
  if (!trunc) return Image;
  return shortId(Image) === shortId(ImageID) ? shortId(Image) : Image.replace(/@sha256:[0-9a-f]+$/, "");
}

/** Names without those that links give. */
function namesOf({ Names }: ContainerSummary, trunc: boolean): string {
  const names = Names.map((name) => name.replace(/^\//, ""));
  return (trunc ? names.filter((name) => !name.includes("/")) : names).join(",");
}

function portsOf({ Ports }: ContainerSummary): string {
  const rows = [...(Ports ?? [])].sort((a, b) => a.PrivatePort - b.PrivatePort);
  const texts = rows.map(({ IP, PrivatePort, PublicPort, Type }) => {
    const host = IP?.includes(":") ? `[${IP}]` : IP;
    return PublicPort ? `${host}:${PublicPort}->${PrivatePort}/${Type}` : `${PrivatePort}/${Type}`;
  });
  return [...new Set(texts)].join(", ");
}

function sizeOf({ SizeRw = 0, SizeRootFs = 0 }: ContainerSummary): string {
  const own = humanSize(SizeRw);
  return SizeRootFs > 0 ? `${own} (virtual ${humanSize(SizeRootFs)})` : own;
}

function ellipsis(text: string, length: number): string {
  const letters = Array.from(text);
  return letters.length <= length ? text : `${letters.slice(0, length - 1).join("")}…`;
}
