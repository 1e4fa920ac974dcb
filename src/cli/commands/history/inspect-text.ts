import type { Environment } from "../../../config/index.js";
import { desktopUrl, hasDesktop } from "../../../config/index.js";
import { type BuildDetails, type NamedValue } from "../../../manage/index.js";
import { formatBinaryBytes, sanitizeName, sanitizeText } from "../../../progress/index.js";
import { alignTabs } from "../../format/index.js";
import { configFields } from "./inspect-config.js";
import { sourceTexts } from "./inspect-fields.js";
import { formatDuration, formatLocalTime } from "./format-time.js";

/** Options of {@link inspectText}. */
export interface InspectTextOptions {
  /** Tell which build it is; for who has not named one. */
  showsRef: boolean;
  /** Print the daemon's stack traces. */
  debug: boolean;
  env: Environment;
}

/** What `history inspect` prints (buildx v0.36 commands/history/inspect.go). */
export function inspectText(details: BuildDetails, options: InspectTextOptions): string {
  const { record } = details;
  return [
    `${columns(inputRows(details, options.showsRef))}\n`,
    table("NAMED CONTEXT", details.namedContexts),
    `${columns(outcomeRows(details))}\n`,
    `${columns(configRows(details))}\n`,
    table("BUILD ARG", details.buildArgs),
    table("LABEL", details.labels),
    titled("Materials", [
      ["URI", "DIGEST"],
      ...details.materials.map(({ uri, digests }) => [uri, digests.join(", ")]),
    ]),
    titled("Attachments", [
      ["DIGEST", "PLATFORM", "TYPE"],
      ...details.attachments.map(({ digest, platform = "", type }) => [digest, platform, type]),
    ]),
    failureText(details, options.debug),
    `Print build logs: slipway history logs ${record.id}\n`,
    hasDesktop(options.env) ? `View build in Docker Desktop: ${desktopUrl(record.ref)}\n` : "",
  ].join("");
}

function inputRows(details: BuildDetails, showsRef: boolean): string[][] {
  const { record, context, dockerfile, vcsRepository, vcsRevision, target, platforms } = details;
  const rows: [string, string | undefined][] = [
    ["Name", record.name],
    ["Ref", showsRef ? record.id : undefined],
    ["Context", context],
    ["Dockerfile", dockerfile],
    ["VCS Repository", vcsRepository],
    ["VCS Revision", vcsRevision],
    ["Target", target],
    ["Platforms", platforms.join(", ")],
    ["Keep Git Dir", details.keepGitDir ? "true" : undefined],
  ];
  return rows.flatMap(([label, value]) => (value ? [[`${label}:`, value]] : []));
}

function outcomeRows({ record, failure }: BuildDetails): string[][] {
  const { completed, total, cached } = record.steps;
  const share = total === 0 ? "NaN" : ((cached / total) * 100).toFixed(0);
  const running = record.status === "running" ? " (running)" : "";
  const rows = [
    ["Started:", formatLocalTime(record.createdAt)],
    ["Duration:", `${formatDuration(record.duration)}${running}`],
  ];
  if (record.status === "canceled") rows.push(["Status:", "Canceled"]);
  else if (failure) rows.push(["Error:", `${failure.codeName} ${failure.message}`]);
  return [...rows, ["Build Steps:", `${completed}/${total} (${share}% cached)`]];
}

function configRows({ config }: BuildDetails): string[][] {
  const known = configFields.flatMap(({ key, label, bytes }) => {
    const value = config[key];
    if (!value || (Array.isArray(value) && value.length === 0)) return [];
    const text = Array.isArray(value) ? value.join(", ") : String(value);
    return [[`${label}:`, bytes ? readableBytes(text) : text]];
  });
  return [...known, ...config.rest.map(({ name, value }) => [`${name}:`, value])];
}

/** What is no amount (`-1` for no limit) stays as it is. */
function readableBytes(text: string): string {
  return /^\d+$/.test(text) ? formatBinaryBytes(Number(text)) : text;
}

function failureText({ failure }: BuildDetails, debug: boolean): string {
  if (!failure) return "";
  const { step, stack } = failure;
  const logs = step?.logs ?? [];
  const lines = [
    `Logs:`,
    `> => ${sanitizeName(step?.name ?? "")}:`,
    ...logs.map((line) => `> ${sanitizeText(line)}`),
  ];
  return [
    sourceTexts(failure),
    logs.length > 0 ? `${lines.join("\n")}\n\n` : "",
    stack === ""
      ? ""
      : debug
        ? `\n${sanitizeText(stack)}\n`
        : "Enable --debug to see stack traces for error\n",
  ].join("");
}

function table(title: string, values: readonly NamedValue[]): string {
  if (values.length === 0) return "";
  return `${columns([[title, "VALUE"], ...values.map(({ name, value }) => [name, value])])}\n`;
}

function titled(title: string, rows: readonly string[][]): string {
  return rows.length === 1 ? "" : `${title}:\n${columns(rows)}\n`;
}

/** Columns that are filled up with tabs (tabwriter with cells of 8). */
function columns(rows: readonly string[][]): string {
  const lines = rows.map((cells) => `${cells.map((cell) => sanitizeText(cell)).join("\t")}\n`);
  return alignTabs(lines.join(""), { minWidth: 1, padding: 1, tabs: 8 });
}
