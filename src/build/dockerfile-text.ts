import { textOf } from "../config/index.js";
import { toBytes } from "../fs/index.js";
import { readTreeFile } from "./input-digest-tree.js";
import { largestDockerfile } from "./input-files.js";
import type { SolvePlan } from "./solve-plan.js";

/** The Dockerfile's text as far as it is on this side; empty when it is in a context that the builder fetches itself. */
export async function dockerfileText({
  inputs,
  attrs,
}: Pick<SolvePlan, "attrs" | "inputs">): Promise<string> {
  const mounted = inputs.locals.get("dockerfile");
  const name = toBytes(attrs["filename"] ?? "Dockerfile");
  const content = mounted && (await readTreeFile(mounted, name, largestDockerfile));
  return content ? textOf(content) : "";
}
