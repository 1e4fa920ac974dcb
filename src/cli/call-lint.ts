import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { isJsonObject } from "../config/index.js";
import { SlipwayError, type SourceInfo, type SourceRange } from "../core/index.js";
import { type Annotation, formatSource, sanitizeName, sanitizeText } from "../progress/index.js";

/** Where in a file a finding is. */
interface LintLocation {
  source?: SourceInfo;
  ranges: SourceRange[];
}

interface LintWarning extends LintLocation {
  rule: string;
  url: string;
  detail: string;
}

/** What a check found (BK frontend/subrequests/lint). */
export interface LintReport {
  /** In the order of files and lines. */
  warnings: LintWarning[];
  /** The Dockerfile cannot be built. */
  error?: LintLocation & { message: string };
}

/** Reads the answer to a check; what is not as it should be is left out. `dockerfile` replaces the builder's name of it. */
export function parseLint(json: unknown, dockerfile?: string): LintReport {
  const report = isJsonObject(json) ? json : {};
  const sources = list(report["sources"]).map((source): SourceInfo | undefined => {
    if (!isJsonObject(source)) return undefined;
    const data = typeof source["data"] === "string" ? Buffer.from(source["data"], "base64") : Buffer.alloc(0);
    return { filename: dockerfile ?? text(source["filename"]), data, language: text(source["language"]) };
  });
  const locationOf = (value: unknown): LintLocation => {
    const location = isJsonObject(value) ? value : {};
    const index = location["sourceIndex"] ?? 0;
    const source = typeof index === "number" ? sources[index] : undefined;
    return { ...(source && { source }), ranges: list(location["ranges"]).map(rangeOf) };
  };
  const warnings = list(report["warnings"])
    .filter(isJsonObject)
    .map((warning) => ({
      rule: text(warning["ruleName"]),
      url: text(warning["url"]),
      detail: text(warning["detail"]),
      ...locationOf(warning["location"]),
    }));
  warnings.sort(inOrder);
  const error = report["buildError"];
  return {
    warnings,
    ...(isJsonObject(error) && {
      error: { message: text(error["message"]), ...locationOf(error["location"]) },
    }),
  };
}

/** Each warning with the lines that it is about. */
export function formatLintWarnings({ warnings }: LintReport): string {
  return warnings
    .map(({ rule, url, detail, ...location }) => {
      const link = url === "" ? "" : ` - ${sanitizeName(url)}`;
      return `\nWARNING: ${sanitizeName(rule)}${link}\n${sanitizeText(detail)}\n${excerpt(location)}`;
    })
    .join("");
}

/** What a workflow is to mark in the Dockerfile, which is a file here when its user gave it as one. */
export function lintAnnotations(
  { warnings, error }: LintReport,
  dockerfile: string | undefined,
): Annotation[] {
  const path = dockerfile !== undefined && existsSync(dockerfile) ? resolve(dockerfile) : undefined;
  const place = ({ source, ranges }: LintLocation) =>
    source && { source: { info: { ...source, ...(path !== undefined && { path }) }, ranges } };
  return [
    ...warnings.map((warning): Annotation => {
      const { rule, url, detail } = warning;
      return {
        level: "warning",
        title: rule,
        text: url === "" ? detail : `${detail}\n${url}`,
        ...place(warning),
      };
    }),
    ...(error ? [{ level: "error" as const, title: "check", text: error.message, ...place(error) }] : []),
  ];
}

/** The error that ends a check of a Dockerfile that cannot be built. */
export function formatLintError(error: NonNullable<LintReport["error"]>): SlipwayError {
  return new SlipwayError("CHECK_FAILED", `${error.message}\n${excerpt(error)}`);
}

function excerpt({ source, ranges }: LintLocation): string {
  return source ? formatSource(source, ranges) : "";
}

/** Those without a file first, then by file, by line, and by rule where there is no line. */
function inOrder(a: LintWarning, b: LintWarning): number {
  if (!a.source || !b.source)
    return Number(a.source !== undefined) - Number(b.source !== undefined) || byName(a.rule, b.rule);
  const byFile = byName(a.source.filename, b.source.filename);
  if (byFile !== 0) return byFile;
  const [first, second] = [a.ranges[0], b.ranges[0]];
  if (!first || !second)
    return Number(first !== undefined) - Number(second !== undefined) || byName(a.rule, b.rule);
  return first.start.line - second.start.line;
}

function byName(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function rangeOf(value: unknown): SourceRange {
  const range = isJsonObject(value) ? value : {};
  const position = (key: string): SourceRange["start"] => {
    const at = isJsonObject(range[key]) ? range[key] : {};
    return { line: number(at["line"]), character: number(at["character"]) };
  };
  return { start: position("start"), end: position("end") };
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
