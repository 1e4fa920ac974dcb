import { stat } from "node:fs/promises";
import { isRemoteUrl } from "../../build/index.js";
import { isSlipwayError } from "../../core/index.js";
import type { CliContext } from "../cli-context.js";
import type { Candidate } from "./completions.js";

/** Values of `--file`, in all the ways in which it may be written. */
function filesOf(before: readonly string[]): string[] {
  const files: string[] = [];
  for (const [at, word] of before.entries()) {
    const joined = /^(?:--file=|-f=?)(.+)$/s.exec(word)?.[1];
    if (joined !== undefined) files.push(joined);
    else if (word === "--file" || word === "-f") files.push(before[at + 1] ?? "");
  }
  return files.filter((name) => name !== "");
}

/**
 * Groups and targets of the definition that the command line names, with their descriptions. None when it cannot be read, or only
 * once, or is somewhere else: nothing is fetched.
 */
export async function bakeTargets(
  before: readonly string[],
  given: readonly string[],
  { env }: CliContext,
): Promise<Candidate[]> {
  const [first = ""] = given;
  const files = filesOf(before);
  if (isRemoteUrl(first) || !(await areRegular(files))) return [];
  const { listTargets, readDefinition } = await import("../../bake/index.js");
  try {
    const definition = await readDefinition({ env, ...(files.length > 0 && { files }) });
    return listTargets(definition)
      .filter(({ name }) => !given.includes(name))
      .map(({ name, description = "" }) => {
        // A line each is what shells read.
        const text = description.replace(/\s+/g, " ").trim();
        return text === "" ? { value: name } : { value: name, description: text };
      });
  } catch (error) {
    if (isSlipwayError(error)) return []; // a shell has no place for the reason
    throw error;
  }
}

/** Whoever reads a pipe takes what was meant for the command. */
async function areRegular(files: readonly string[]): Promise<boolean> {
  const stats = await Promise.all(
    files.map((name) => stat(name.replace(/^cwd:\/\//, "")).catch(() => undefined)),
  );
  return stats.every((entry) => entry?.isFile());
}
