import { type VertexWarning, statusEvent, withVertex } from "../../core/index.js";
import { sourceWithPath } from "../build-error.js";
import { dockerfileText } from "../dockerfile-text.js";
import type { SolvePlan } from "../solve-plan.js";
import type { TargetRun } from "../target-run.js";
import { originalSource } from "../trust-ca/step-trust.js";
import { findUnreproducible } from "./find-unreproducible.js";

/** Warns of what in the Dockerfile may give another image next time, each with its line. */
export async function warnUnreproducible(plan: SolvePlan, run: TargetRun): Promise<void> {
  const { epoch } = plan;
  if (!epoch) return;
  const seconds = Number(epoch.value);
  const name = `[reproducible] SOURCE_DATE_EPOCH=${epoch.value} (${epoch.from})`;
  await withVertex(run.sink, name, async (vertex) => {
    const time = new Date(seconds * 1000);
    if (!Number.isNaN(time.getTime())) vertex.log(1, Buffer.from(`${time.toISOString()}\n`));
    const text = await dockerfileText(plan);
    if (text === "")
      vertex.log(2, Buffer.from("the Dockerfile is not on this side, and was not looked at\n"));
    const warnings = warningsOf(text, plan, vertex.digest);
    if (warnings.length > 0) run.sink(statusEvent({ warnings }));
  });
}

function warningsOf(text: string, plan: SolvePlan, vertex: string): VertexWarning[] {
  const { attrs } = plan;
  const filename = attrs["filename"] ?? "Dockerfile";
  const shown = originalSource({ filename, data: Buffer.from(text), language: "Dockerfile" }, plan.trust);
  const source = sourceWithPath(shown, plan);
  const original = Buffer.from(source.data).toString("utf8");
  const args = new Map<string, string>();
  const contexts = new Set<string>();
  for (const [key, value] of Object.entries(attrs)) {
    if (key.startsWith("build-arg:")) args.set(key.slice("build-arg:".length), value);
    if (key.startsWith("context:")) contexts.add(key.slice("context:".length));
  }
  return findUnreproducible(original, { args, contexts }).map(({ line, why }) => ({
    vertex,
    level: 1,
    short: `NotReproducible: ${why} (line ${line})`,
    detail: [],
    url: "",
    source,
    ranges: [{ start: { line, character: 0 }, end: { line, character: 0 } }],
  }));
}
