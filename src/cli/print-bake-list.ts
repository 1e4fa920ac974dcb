import { type BakeDefinition, listTargets, listVariables, tabbed } from "../bake/index.js";
import { goJson, parseCsvFields } from "../config/index.js";
import { InvalidArgumentError } from "../core/index.js";
import type { Printer } from "./printer.js";

/** What `--list` asks for. */
export interface BakeList {
  type: "targets" | "variables";
  format: "table" | "json";
}

/** Reads `targets`, `variables` or `type=…,format=table|json`. Throws an InvalidArgumentError in buildx's words. */
export function parseBakeList(text: string): BakeList {
  const fields = parseCsvFields(text);
  const [type, format] =
    fields.length === 1 && !text.startsWith("type=") ? [text, "table"] : typeAndFormat(fields);
  if (type !== "targets" && type !== "variables")
    throw new InvalidArgumentError(`invalid list type ${JSON.stringify(type)}`);
  if (format !== "table" && format !== "json")
    throw new InvalidArgumentError(`invalid list format ${JSON.stringify(format)}`);
  return { type, format };
}

function typeAndFormat(fields: readonly string[]): [type: string, format: string] {
  const given = { type: "", format: "table" };
  for (const field of fields) {
    const at = field.indexOf("=");
    const key = field.slice(0, at).toLowerCase();
    if (at < 0) throw new InvalidArgumentError(`invalid value ${field}`);
    if (key !== "type" && key !== "format")
      throw new InvalidArgumentError(`unexpected key '${key}' in '${field}'`);
    given[key] = field.slice(at + 1);
  }
  return [given.type, given.format];
}

/** Prints targets and groups, or variables. */
export function printBakeList(
  definition: BakeDefinition,
  { type, format }: BakeList,
  printer: Printer,
): void {
  const rows = type === "targets" ? listTargets(definition) : listVariables(definition);
  if (format === "json") return printer.json(`${goJson(rows)}\n`);
  const cells =
    type === "targets"
      ? listTargets(definition).map(({ name, description = "" }) => [name, description])
      : listVariables(definition).map(({ name, type: kind = "", value = "<null>", description = "" }) => [
          name,
          kind,
          value,
          description,
        ]);
  const head = type === "targets" ? ["TARGET", "DESCRIPTION"] : ["VARIABLE", "TYPE", "VALUE", "DESCRIPTION"];
  printer.text(tabbed([head, ...cells.map((row) => row.map((text) => printer.cell(text)))]));
}
