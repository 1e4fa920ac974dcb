import type { Command } from "commander";
import { collect } from "../cli/index.js";
import { InvalidArgumentError } from "../core/index.js";
import type { Filters } from "../engine-api/index.js";

/** Adds `--filter` to a command. */
export function addFilter(command: Command, short = "-f, "): Command {
  return command.option(
    `${short}--filter <filter>`,
    "Filter output based on conditions provided",
    (value, before) => collect(checked(value), before),
  );
}

/** Filters as the engine takes them; names in small letters (docker/cli opts FilterOpt). */
export function readFilters(texts: readonly string[] = []): Filters {
  const filters = new Map<string, string[]>();
  for (const text of texts) {
    const at = text.indexOf("=");
    const name = text.slice(0, at).trim().toLowerCase();
    filters.set(name, [...(filters.get(name) ?? []), text.slice(at + 1).trim()]);
  }
  return Object.fromEntries(filters);
}

function checked(text: string): string {
  if (text === "" || text.includes("=")) return text;
  throw new InvalidArgumentError("invalid argument: bad format of filter (expected name=value)");
}
