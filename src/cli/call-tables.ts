import { isJsonObject } from "../config/index.js";
import { sanitizeName } from "../progress/index.js";
import { alignTabs } from "./format/index.js";

/** What `--call outline` tells: the target, and tables of build args, secrets and ssh agents (BK subrequests/outline). */
export function formatOutline(json: unknown): string {
  const outline = isJsonObject(json) ? json : {};
  const [name, description] = [text(outline, "name"), text(outline, "description")];
  let result = "";
  if (name !== "" || description !== "") {
    const lines = [`TARGET:\t${name || "(default)"}`];
    if (description !== "") lines.push(`DESCRIPTION:\t${description}`);
    result += `${table(lines, 1)}\n`;
  }
  const args = entries(outline["args"]).map(
    (arg) => `${text(arg, "name")}\t${text(arg, "value")}\t${text(arg, "description")}`,
  );
  if (args.length > 0) result += `${table(["BUILD ARG\tVALUE\tDESCRIPTION", ...args], 3)}\n`;
  for (const [key, title] of [
    ["secrets", "SECRET"],
    ["ssh", "SSH"],
  ] as const) {
    const rows = entries(outline[key]).map(
      (entry) => `${text(entry, "name")}\t${entry["required"] === true ? "true" : ""}`,
    );
    if (rows.length > 0) result += `${table([`${title}\tREQUIRED`, ...rows], 3)}\n`;
  }
  return result;
}

/** What `--call targets` tells: the stages that can be built (BK subrequests/targets). */
export function formatTargets(json: unknown): string {
  const rows = entries(isJsonObject(json) ? json["targets"] : undefined).map((target) => {
    const isDefault = target["default"] === true;
    const name = [text(target, "name"), isDefault ? "(default)" : ""].filter(Boolean).join(" ");
    return `${name}\t${text(target, "description")}`;
  });
  return table(["TARGET\tDESCRIPTION", ...rows], 1);
}

/** What `--call subrequests.describe` tells: the requests that the frontend answers (BK subrequests/describe). */
export function formatDescribe(json: unknown): string {
  const rows = entries(json).map(
    (request) =>
      `${text(request, "name").replace(/^frontend\./, "")}\t${text(request, "version")}\t${text(request, "description")}`,
  );
  return table(["NAME\tVERSION\tDESCRIPTION", ...rows], 1);
}

function table(lines: readonly string[], padding: number): string {
  return alignTabs(`${lines.join("\n")}\n`, { minWidth: 0, padding });
}

function entries(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** A cell: on one line, without tabs. */
function text(object: Record<string, unknown>, key: string): string {
  const value = object[key];
  return typeof value === "string" ? sanitizeName(value).replaceAll("\t", " ") : "";
}
