import path from "node:path";
import { isRemoteUrl } from "../build/index.js";
import { type Environment, parseGoBool, variableOf } from "../config/index.js";
import { BakeError } from "./bake-error.js";
import type { TargetFields } from "./target.js";

const variable = "BUILDX_BAKE_FILE_RELATIVE_PATHS";

/** Whether contexts stand against their file's directory, rather than against the working directory. @throws BakeError */
export function standsAgainstFile(env: Environment): boolean {
  const text = (variableOf(env, variable) ?? "").trim();
  if (text === "") return false;
  const value = parseGoBool(text);
  if (value === undefined)
    throw new BakeError(
      `failed to parse ${variable} value ${JSON.stringify(text)}: strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return value;
}

/** The directory that a definition stands in; undefined for standard input and for what has no file. */
export function directoryOf(name: string): string | undefined {
  if (name === "" || name === "-" || isRemoteUrl(name)) return undefined;
  return path.posix.dirname(name.replace(/^cwd:\/\//, ""));
}

/**
 * Puts a target's contexts against the directory of the file that it stands in, and its missing one too (buildx v0.38
 * bake/bake.go `rebaseContextPaths`).
 *
 * @param contextDirectory that of the file where `context` comes from, if it is another target's
 */
export function rebaseContexts(target: TargetFields, directory: string, contextDirectory = directory): void {
  if (target.context === undefined) target.defaultContext = directory;
  else target.context = rebased(contextDirectory, target.context);
  const contexts = [...(target.contexts ?? [])];
  if (target.contexts)
    target.contexts = new Map(contexts.map(([name, value]) => [name, rebased(directory, value)]));
}

function rebased(directory: string, context: string): string {
  const isPath =
    !/^(?:cwd:\/\/|target:|docker-image:|oci-layout:\/\/)/.test(context) && !isRemoteUrl(context);
  return context !== "" && isPath && !path.posix.isAbsolute(context)
    ? path.posix.join(directory, context)
    : context;
}
