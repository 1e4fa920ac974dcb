import { createHash } from "node:crypto";
import { contextSources } from "./context-sources.js";
import { dockerfileText } from "./dockerfile-text.js";
import type { SolvePlan } from "./solve-plan.js";

/**
 * Gives plans that want different files of one context different keys. BuildKit keeps one copy of a context for each key, and brings
 * it to what each build asks for: builds that ask for different files would take them from each other, and have them sent again each
 * time. Where all want the same, the key stays that of a single build.
 */
export async function withCopyClasses(
  plans: ReadonlyMap<string, SolvePlan>,
): Promise<Map<string, SolvePlan>> {
  const byContext = new Map<string, string[]>();
  for (const [name, { inputs }] of plans) {
    const context = inputs.locals.get("context");
    if (context?.type !== "directory") continue;
    byContext.set(context.path, [...(byContext.get(context.path) ?? []), name]);
  }
  const result = new Map(plans);
  for (const names of byContext.values()) {
    if (names.length < 2) continue;
    const classes = new Map<string, string>();
    for (const name of names) classes.set(name, await classOf(plans.get(name) as SolvePlan));
    if (new Set(classes.values()).size < 2) continue;
    for (const [name, text] of classes) {
      const plan = plans.get(name) as SolvePlan;
      const mark = createHash("sha256").update(text).digest("hex").slice(0, 12);
      const sharedKey = `${plan.inputs.sharedKey}:${mark}`;
      result.set(name, { ...plan, inputs: { ...plan.inputs, sharedKey } });
    }
  }
  return result;
}

/** Plans of one class ask for the same files. */
async function classOf(plan: SolvePlan): Promise<string> {
  const args = new Map<string, string>();
  for (const [key, value] of Object.entries(plan.attrs))
    if (key.startsWith("build-arg:")) args.set(key.slice("build-arg:".length), value);
  const text = await dockerfileText(plan);
  return JSON.stringify(contextSources(text, { target: plan.attrs["target"], args }));
}
