import type { BakeDefinition } from "./read-bake.js";
import type { BakeVariable } from "./variables.js";

/** A target or a group as `--list targets` shows it. */
export interface ListedTarget {
  readonly name: string;
  readonly description?: string;
  readonly group?: true;
}

/** Targets and groups by name, but those whose name begins with `_`. buildx v0.38 commands/bake.go `printTargetList`. */
export function listTargets({ targets, groups }: BakeDefinition): ListedTarget[] {
  const rows: ListedTarget[] = targets.map(({ name, description }) =>
    description ? { name, description } : { name },
  );
  for (const { name, description, targets: members = [] } of groups) {
    const names = [...members].sort().join(", ");
    const text = description && names !== "" ? `${description} (${names})` : description || names;
    rows.push(text === "" ? { name, group: true } : { name, description: text, group: true });
  }
  return rows.filter(({ name }) => !name.startsWith("_")).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Variables by name. */
export function listVariables({ variables }: BakeDefinition): BakeVariable[] {
  return [...variables].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Rows in columns, as Go's tabwriter sets them with tabs of eight. */
export function tabbed(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => Math.floor((row[column] ?? "").length / 8) * 8 + 8)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === row.length - 1
            ? cell
            : cell + "\t".repeat(Math.ceil(((widths[column] as number) - cell.length) / 8)),
        )
        .join(""),
    )
    .map((line) => `${line}\n`)
    .join("");
}
