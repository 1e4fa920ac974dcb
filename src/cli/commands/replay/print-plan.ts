import type { PlanMaterial, ReplayPlan, ReplayPlanSubject } from "../../../manage/index.js";

/** A plan for people, as buildx v0.38 prints it: columns of a subject are two blanks apart. */
export function printPlan(plan: ReplayPlan): string {
  const lines: (readonly string[])[] = [["Replay plan"]];
  for (const [index, subject] of plan.subjects.entries())
    lines.push([], [`Subject ${index + 1}/${plan.subjects.length}`], ...subjectLines(subject));
  return aligned(lines);
}

function subjectLines({ descriptor, buildConfig, signature, materials }: ReplayPlanSubject): string[][] {
  const { frontend, context, filename, target, networkMode, buildArgs = {}, secrets = [] } = buildConfig;
  const shownSecrets = secrets.map(({ id, optional }) => (optional ? `${id} (optional)` : id)).join(" ");
  return [
    ...field("Platform", platformText(descriptor.platform)),
    ...field("Digest", descriptor.digest),
    [],
    ["Build configuration"],
    ...field("Frontend", frontend),
    ...field("Context", context),
    ...field("Dockerfile", filename),
    ...field("Target", target),
    ...field("Network", networkMode),
    ...Object.entries(buildArgs).map(([name, value], index) => [
      index === 0 ? "  Build args:" : "  ",
      `${name}=${value}`,
    ]),
    ...field("Secrets", shownSecrets && `[${shownSecrets}]`),
    ...(signature ? [[], ["Signature"], ...field("Verified signer", signature.identity)] : []),
    [],
    [`Materials (${materials.length})`],
    ...materials.flatMap(materialLines),
  ];
}

function materialLines({ kind, platform, uri = "", digest }: PlanMaterial): string[][] {
  const on = platform ? ` [${platformText(platform)}]` : "";
  return [[`  ${kind}${on}`, uri], ...(digest === undefined ? [] : [["  ", digest]])];
}

function field(name: string, value: string | undefined): string[][] {
  return value ? [[`  ${name}:`, value]] : [];
}

function platformText(platform: PlanMaterial["platform"]): string {
  return platform ? [platform.os, platform.architecture, platform.variant].filter(Boolean).join("/") : "";
}

/** Go's tabwriter: a column is as wide as its widest cell in the lines that follow each other and have it. */
function aligned(lines: readonly (readonly string[])[]): string {
  const widths = lines.map(() => 0);
  for (let from = 0; from < lines.length;) {
    let to = from;
    while ((lines[to]?.length ?? 0) > 1) to++;
    const width = Math.max(0, ...lines.slice(from, to).map(([first = ""]) => first.length + 2));
    widths.fill(width, from, to);
    from = Math.max(to, from + 1);
  }
  return lines
    .map(([first = "", ...rest], index) =>
      rest.length === 0 ? `${first}\n` : `${first.padEnd(widths[index] ?? 0)}${rest.join("")}\n`,
    )
    .join("");
}
