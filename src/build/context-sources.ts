import { expandVariables } from "./engine-images/expand-variables.js";
import { type DockerfileStage, dockerfileStages } from "./dockerfile-stages.js";

/**
 * What a Dockerfile takes of its context for a stage: sources of `COPY`, `ADD` and bind mounts, each once and sorted. `["."]` is all
 * of it. A light reading, by which builds are told apart that ask for the same files of a context.
 *
 * @param target stage to build; the last when not given
 */
export function contextSources(
  dockerfile: string,
  { target, args = new Map() }: { target?: string | undefined; args?: ReadonlyMap<string, string> } = {},
): string[] {
  const stages = dockerfileStages(dockerfile);
  const sources = new Set<string>();
  for (const stage of reachable(stages, target))
    for (const source of stage.sources) sources.add(cleaned(expandVariables(source, args) ?? source));
  return sources.has(".") ? ["."] : [...sources].sort();
}

/** A stage with all that it is built from. */
function reachable(stages: readonly DockerfileStage[], target: string | undefined): Set<DockerfileStage> {
  const found = new Set<DockerfileStage>();
  const byName = (name: string) =>
    stages.findLast((stage) => stage.name === name.toLowerCase()) ??
    (/^[0-9]+$/.test(name) ? stages[Number(name)] : undefined);
  const waiting = [target === undefined ? stages.at(-1) : byName(target)];
  for (let stage = waiting.pop(); stage; stage = waiting.pop()) {
    if (found.has(stage)) continue;
    found.add(stage);
    for (const name of stage.from) {
      const other = byName(name);
      if (other) waiting.push(other);
    }
    if (waiting.length === 0) break;
  }
  return found;
}

function cleaned(source: string): string {
  const plain = source.replace(/^\.?\/+/, "");
  return plain === "" || plain === "." || plain === "./" ? "." : plain;
}
