import { type VertexWarning, readOptions } from "../core/index.js";
import { warningKinds } from "./option-kinds.js";
import { paint } from "./colors.js";
import { sanitizeText } from "./sanitize.js";
import { formatSource } from "./source-excerpt.js";

/** Options of {@link formatWarnings}. */
export interface WarningOptions {
  /** With details, links and source lines. Default false. */
  debug?: boolean;
  /** The heading in yellow. Default true; the renderers leave it out where there is no terminal (buildx always has it). */
  color?: boolean;
}

/** One of each warning, in the order they came; which vertex told it does not count (buildx dedupWarnings). */
export function dedupeWarnings(warnings: readonly VertexWarning[]): VertexWarning[] {
  const seen = new Map<string, VertexWarning>();
  for (const warning of warnings) {
    const key = JSON.stringify({
      ...warning,
      vertex: "",
      source: warning.source && {
        ...warning.source,
        data: Buffer.from(warning.source.data).toString("base64"),
      },
    });
    if (!seen.has(key)) seen.set(key, warning);
  }
  return [...seen.values()];
}

/**
 * The block of warnings after a build (buildx commands/build.go printWarnings); empty when there are none. Where buildx names
 * docker's flag, this names that of the program itself: there may be no docker.
 */
export function formatWarnings(warnings: readonly VertexWarning[], options: WarningOptions = {}): string {
  const { debug = false, color = true } = readOptions("formatWarnings()", options, warningKinds);
  const found = dedupeWarnings(warnings);
  if (found.length === 0) return "";
  const count = found.length === 1 ? "1 warning found" : `${found.length} warnings found`;
  const heading = `${count}${debug ? "" : " (use --debug to expand)"}:\n`;
  let text = `\n ${paint(heading, color ? "33" : undefined)}`;
  for (const warning of found) {
    text += ` - ${sanitizeText(warning.short)}\n`;
    if (!debug) continue;
    for (const detail of warning.detail) text += `${sanitizeText(detail)}\n`;
    if (warning.url) text += `More info: ${sanitizeText(warning.url)}\n`;
    if (warning.source && warning.ranges.length > 0) text += formatSource(warning.source, warning.ranges);
    text += "\n";
  }
  return text;
}
