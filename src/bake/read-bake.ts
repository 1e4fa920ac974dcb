import path from "node:path";
import { type Environment, parseGoBool, variableOf } from "../config/index.js";
import { HclError } from "../hcl/index.js";
import { BakeError } from "./bake-error.js";
import { parseDefinition, readDefinitions } from "./definition-files.js";
import { type BakeJson, definitionJson } from "./definition-json.js";
import { readModule } from "./module.js";
import { parseOverrides } from "./overrides.js";
import { type Resolved, mergedTargets, resolve } from "./resolve.js";
import type { GroupFields } from "./group.js";
import type { TargetFields } from "./target.js";
import type { BakeVariable } from "./variables.js";

/** What a definition is read with. */
export interface ReadBakeOptions {
  /** Definitions, in their order: paths, or what they hold. Without any, the files that `docker buildx bake` looks for. */
  files?: readonly (string | { name: string; content: string | Uint8Array })[];
  /** Targets, groups and patterns of them; without any, `default`. */
  targets?: readonly string[];
  /** Variables' values, before those of the environment. */
  vars?: Readonly<Record<string, string>>;
  /** Changes to targets, as `--set` takes them: `PATTERN.KEY[.NAME][+]=VALUE`. */
  set?: readonly string[];
  /** Where relative names of files stand; the working directory if not given. */
  cwd?: string;
  /** Where variables are looked up; the process's environment if not given. */
  env?: Environment;
  /** What `-` among the files stands for. */
  readInput?: () => Promise<Uint8Array>;
}

/** All that definitions hold. */
export interface BakeDefinition {
  readonly targets: readonly TargetFields[];
  readonly groups: readonly GroupFields[];
  readonly variables: readonly BakeVariable[];
}

/** What is to be built. */
export interface BakePlan extends Resolved {
  readonly variables: readonly BakeVariable[];
  /** What `bake --print` prints: a definition again. */
  toJSON(): BakeJson;
}

/** Reads definitions, without choosing from them. Throws a BakeError that names file and line. */
export async function readDefinition(options: ReadBakeOptions): Promise<BakeDefinition> {
  const { cwd = process.cwd(), env = process.env, vars = {} } = options;
  const named = options.files?.map((file) => (typeof file === "string" ? file : file.name));
  const given = options.files?.filter((file) => typeof file !== "string") ?? [];
  const files =
    given.length > 0 && given.length === options.files?.length
      ? given.map(({ name, content }) => ({ name, content: Buffer.from(content as Uint8Array) }))
      : await readDefinitions(named, cwd, options.readInput);
  const noEnvironment = parseGoBool(variableOf(env, "BUILDX_BAKE_DISABLE_VARS_ENV_LOOKUP") ?? "") ?? false;
  try {
    const module = readModule(files.map(parseDefinition), {
      builtins: new Map([
        ["BAKE_CMD_CONTEXT", "cwd://"],
        ["BAKE_LOCAL_PLATFORM", `linux/${process.arch === "x64" ? "amd64" : process.arch}`],
      ]),
      lookup: (name) =>
        Object.hasOwn(vars, name) ? vars[name] : noEnvironment ? undefined : variableOf(env, name),
    });
    return { ...module, targets: mergedTargets(module.targets) };
  } catch (error) {
    throw error instanceof HclError ? new BakeError(error.diagnostics, { cause: error }) : error;
  }
}

/** Reads definitions and resolves what is asked for. Nothing is built, no builder and no secret is touched. */
export async function readBake(options: ReadBakeOptions = {}): Promise<BakePlan> {
  const { env = process.env, targets = [], set = [] } = options;
  const definition = await readDefinition(options);
  const overrides = parseOverrides(set, definition.targets, (name) => variableOf(env, name));
  const resolved = resolve(definition, targets.length > 0 ? targets : ["default"], overrides);
  const epoch = variableOf(env, "SOURCE_DATE_EPOCH");
  for (const target of resolved.targets.values()) {
    if (epoch && !target.args?.has("SOURCE_DATE_EPOCH")) {
      target.args = new Map([...(target.args ?? []), ["SOURCE_DATE_EPOCH", epoch]]);
    }
    if (target.context === "-") throw new BakeError("context from stdin not allowed in bake");
    if (target.dockerfile === "-") throw new BakeError("dockerfile from stdin not allowed in bake");
    target.context = cleanContext(target.context ?? ".");
  }
  return { ...resolved, variables: definition.variables, toJSON: () => definitionJson(resolved) };
}

function cleanContext(context: string): string {
  if (/^[a-z]+:\/\/|^git@|^github\.com\//.test(context) && !context.startsWith("cwd://")) return context;
  const clean = path.posix.normalize(context.replace(/^cwd:\/\//, "")) || ".";
  return clean.length > 1 ? clean.replace(/\/$/, "") : clean;
}
