import { formatBytes, sanitizeText } from "../progress/index.js";
import type { ReportModel, ReportStep } from "../report/index.js";

/** Steps that the picture has room for. */
const mostSteps = 40;

/** What a summary tells besides what the report does. */
export interface SummaryFacts {
  digest?: string | undefined;
  /** Name of the artifact that holds the build's record. */
  record?: string | undefined;
}

/** A build as GitHub's markdown, for the summary of a job: what came of it, and a picture of where its time went. */
export function buildSummary(model: ReportModel, { digest, record }: SummaryFacts): string {
  const { title, outcome, failure, milliseconds, steps, images } = model;
  const cached = steps.filter(({ state }) => state === "cached").length;
  const sizes = images.map(({ platform, layers }) => {
    const bytes = layers.reduce((sum, { size }) => sum + size, 0);
    return `${platform}: ${formatBytes(bytes)} in ${layers.length} layers`;
  });
  const rows = [
    ["Outcome", `${outcome}, ${(milliseconds / 1000).toFixed(1)} s`],
    ["Builder", model.builder],
    ["Steps", `${steps.length}, ${cached} of them from the cache`],
    ...(digest ? [["Digest", digest]] : []),
    ...(sizes.length > 0 ? [["Image", sizes.join(", ")]] : []),
    ...(model.warnings.length > 0 ? [["Warnings", String(model.warnings.length)]] : []),
    ...(record ? [["Record", `artifact ${record}`]] : []),
  ];
  return [
    `### ${outcome === "succeeded" ? "Built" : "Not built"}: ${inline(title)}`,
    "",
    "| | |",
    "|---|---|",
    ...rows.map(([name = "", value = ""]) => `| ${name} | ${inline(value)} |`),
    "",
    ...(failure ? [fenced("text", [failure.message, ...failure.sources].join("\n")), ""] : []),
    ...picture(model),
  ].join("\n");
}

/** The steps that took longest, in the order in which they began; those of the critical path are marked. */
function picture({ steps }: ReportModel): string[] {
  const ran = steps.filter(({ runs, milliseconds }) => runs.length > 0 && milliseconds > 0);
  const longest = [...ran].sort((a, b) => b.milliseconds - a.milliseconds).slice(0, mostSteps);
  if (longest.length === 0) return [];
  const lines = ran.filter((step) => longest.includes(step)).map(bar);
  const left = ran.length - longest.length;
  const chart = ["gantt", "  dateFormat x", "  axisFormat %M:%S", ...lines.map((line) => `  ${line}`)];
  return [
    fenced("mermaid", chart.join("\n")),
    "",
    `Marked: the steps that the build waited for.${left > 0 ? ` Left out: the ${left} shortest steps.` : ""}`,
  ];
}

function bar({ number, name, critical, state, runs }: ReportStep): string {
  const start = Math.round(runs[0]?.start ?? 0);
  const end = Math.max(start + 1, Math.round(runs.at(-1)?.end ?? start));
  const tags = [...(critical ? ["crit"] : []), ...(state === "cached" ? ["done"] : [])];
  // What the chart's language has for itself is left out.
  const text = oneLine(name)
    .replaceAll(/[^\p{L}\p{N} _.,/()[\]=+*@-]/gu, " ")
    .trim();
  return `${text.slice(0, 80) || "step"} : ${[...tags, `s${number}`, start, end].join(", ")}`;
}

/** Text that markdown takes for nothing else. */
function inline(text: string): string {
  return oneLine(text)
    .slice(0, 300)
    .replaceAll(/[\\`*_{}[\]<>()#!|~@&$]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

function oneLine(text: string): string {
  return sanitizeText(text)
    .replaceAll(/\x1b\[[0-9;]*m/g, "")
    .replaceAll(/\s+/g, " ");
}

/** A block that nothing in the text ends. */
function fenced(language: string, text: string): string {
  const clean = sanitizeText(text).replaceAll(/\x1b\[[0-9;]*m/g, "");
  const longest = Math.max(2, ...[...clean.matchAll(/`+/g)].map(([marks]) => marks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${clean}\n${fence}`;
}
