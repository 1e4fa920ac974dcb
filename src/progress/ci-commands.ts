import { randomBytes } from "node:crypto";

import type { Environment } from "../config/index.js";
import type { SourceLocation } from "../core/index.js";
import { paint } from "./colors.js";
import { sanitizeName, sanitizeText } from "./sanitize.js";
import { guardWorkflowCommands } from "./workflow-guard.js";
import { pathWithin } from "../fs/index.js";

/** A CI system whose log has groups and annotations. */
export type CiSystem = "github" | "gitlab";

/** The CI system that an environment belongs to: `GITHUB_ACTIONS=true` (Gitea and Forgejo set it too) or `GITLAB_CI=true`. */
export function ciSystem(env: Environment): CiSystem | undefined {
  if (env.GITHUB_ACTIONS === "true") return "github";
  return env.GITLAB_CI === "true" ? "gitlab" : undefined;
}

/**
 * Changes a text so that the log of a CI job does not take it for a command. For what is printed beside the display.
 */
export function guardLog(text: string, env: Environment): string {
  const system = ciSystem(env);
  return system ? guardWorkflowCommands(text, system) : text;
}

/** Something to mark in the log, and where it is, if that is known. */
export interface Annotation {
  level: "error" | "warning";
  /** May have several lines. */
  text: string;
  /** A few words, e.g. the name of a rule. */
  title: string;
  source?: SourceLocation | undefined;
}

/** The line that marks something in the log of a GitHub workflow, where the environment is one; else an empty text. */
export function workflowAnnotation(annotation: Annotation, env: Environment): string {
  return ciSystem(env) === "github" ? githubCommands(env).annotate(annotation) : "";
}

/** How a CI system's log is told of groups and annotations. Each text is a whole line with its newline, but for `begin`. */
export interface CiCommands {
  /** Begins a group, up to where its title follows. `time` is in milliseconds since the epoch. */
  begin(name: string, time: number): string;
  end(name: string, time: number): string;
  annotate(annotation: Annotation): string;
}

/** @param env the environment of the job, for its workspace. */
export function ciCommands(system: CiSystem, env: Environment): CiCommands {
  return system === "github" ? githubCommands(env) : gitlabCommands(env);
}

/** Workflow commands of GitHub Actions. Groups have no names there, and do not nest. */
function githubCommands(env: Environment): CiCommands {
  return {
    begin: () => "::group::",
    end: () => "::endgroup::\n",
    annotate({ level, text, title, source }) {
      const properties: Record<string, string> = {};
      const place = source && placeOf(source, env.GITHUB_WORKSPACE);
      if (place?.file) {
        properties["file"] = place.file;
        if (place.line) properties["line"] = String(place.line);
        if (place.endLine && place.endLine > (place.line ?? 0)) properties["endLine"] = String(place.endLine);
      }
      properties["title"] = title;
      const list = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(value)}`);
      return `::${level} ${list.join(",")}::${escapeData(plainText(text))}\n`;
    },
  };
}

/** Sections of GitLab's job log, folded, and coloured lines, since its log has no annotations. */
function gitlabCommands(env: Environment): CiCommands {
  // Names must differ between builds of one job.
  const run = randomBytes(3).toString("hex");
  const mark = (what: string, name: string, time: number, options = "") =>
    `\x1b[0Ksection_${what}:${Math.floor(time / 1000)}:slipway_${run}_${name}${options}\r\x1b[0K`;
  return {
    begin: (name, time) => mark("start", name, time, "[collapsed=true]"),
    end: (name, time) => `${mark("end", name, time)}\n`,
    annotate({ level, text, title, source }) {
      const place = source && placeOf(source, env.CI_PROJECT_DIR);
      const where = place ? `${place.shown}: ` : "";
      const lines = sanitizeName(`${level.toUpperCase()}: ${where}${title}: `) + plainText(text);
      const code = env.NO_COLOR ? undefined : level === "error" ? "31;1" : "33;1";
      return guardWorkflowCommands(lines, "gitlab")
        .split("\n")
        .map((line) => `${paint(line, code)}\n`)
        .join("");
    },
  };
}

/**
 * The lines that a location spans, and the file: relative to the workspace when it lies in there, since that is how CI systems
 * know files. `shown` is for people, also of a file that is not here.
 */
function placeOf({ info, ranges }: SourceLocation, workspace: string | undefined) {
  const [first] = ranges;
  const line = first && first.start.line > 0 ? first.start.line : undefined;
  const below = info.path && workspace ? pathWithin(workspace, info.path) : undefined;
  const file = below ?? info.path;
  const shown = `${sanitizeName(file ?? info.filename)}${line === undefined ? "" : `:${line}`}`;
  return { file, line, endLine: first?.end.line, shown };
}

/** Without colours, which annotations do not have. */
function plainText(text: string): string {
  return sanitizeText(text).replace(/\x1b\[[0-9;:]*m/g, "");
}

// actions/runner ActionCommand.cs. The old form of commands is looked for anywhere in a line, in ours too.
function escapeData(text: string): string {
  return text
    .replaceAll("%", "%25")
    .replaceAll("\r", "%0D")
    .replaceAll("\n", "%0A")
    .replaceAll("##[", "## [");
}

function escapeProperty(text: string): string {
  return escapeData(sanitizeName(text)).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
