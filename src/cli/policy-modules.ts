import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { SourcePolicy } from "../build/index.js";
import { InvalidArgumentError, isSlipwayError, messageOf, nameOf, withDeadline } from "../core/index.js";
import type { CliContext } from "./cli-context.js";

/** How long a module may take to load, in ms: one that waits for ever would end the command without a word. */
const loadMilliseconds = 60_000;

/**
 * The policies of `--policy-module`: what each module has as its default export, a function or a list of them, in order.
 *
 * @throws InvalidArgumentError that names the file; AbortedError
 */
export async function loadPolicies(
  paths: readonly string[],
  { signal }: Pick<CliContext, "signal">,
): Promise<SourcePolicy[]> {
  const policies: SourcePolicy[] = [];
  for (const path of paths) {
    const given = await defaultExport(path, signal);
    const all: unknown[] = Array.isArray(given) ? given : [given];
    const wrong = all.find((one) => typeof one !== "function");
    if (wrong !== undefined || all.length === 0 || all.includes(undefined))
      throw new InvalidArgumentError(
        `the policy module ${path} has ${given === undefined ? "no default export" : `${nameOf(given)} as its default export`}, where a function, or a list of functions, is expected`,
      );
    policies.push(...(all as SourcePolicy[]));
  }
  return policies;
}

/** What starts the bundled command gives it `import()`, which it has not itself: it is a script (src/cli/startup). */
declare const slipwayImport: ((href: string) => Promise<unknown>) | undefined;

function importModule(href: string): Promise<{ default?: unknown }> {
  const loaded = typeof slipwayImport === "function" ? slipwayImport(href) : import(href);
  return loaded as Promise<{ default?: unknown }>;
}

async function defaultExport(path: string, signal: AbortSignal | undefined): Promise<unknown> {
  if (path === "")
    throw new InvalidArgumentError(
      "a policy module is a file: give --policy-module a path, such as policy.mjs",
    );
  const { href } = pathToFileURL(resolve(path));
  try {
    const loaded = await withDeadline(signal, loadMilliseconds, "its code", () => importModule(href));
    return loaded.default;
  } catch (error) {
    if (isSlipwayError(error, "ABORTED")) throw error;
    throw new InvalidArgumentError(`cannot load the policy module ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
