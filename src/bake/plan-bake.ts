import path from "node:path";
import { type Connection, type FetchedSource, isRemoteUrl } from "../build/index.js";
import { formatPlatform, localPlatform } from "../builder/index.js";
import { type Environment, parseGoBool, variableOf } from "../config/index.js";
import { type SourceLocation, readOptions, throwIfAborted } from "../core/index.js";
import { type Diagnostic, HclError, type Position, diagnosticsText } from "../hcl/index.js";
import { BakeError } from "./bake-error.js";
import { directoryOf, rebaseContexts, standsAgainstFile } from "./context-base.js";
import { type DefinitionFile, parseDefinitions, readDefinitions } from "./definition-files.js";
import { definitionJson } from "./definition-json.js";
import { grantsOf } from "./grants-of-overrides.js";
import { readModule } from "./module.js";
import { connectionReadBakeKinds, readBakeKinds } from "./option-kinds.js";
import { parseOverrides } from "./overrides.js";
import { missingPrivileges } from "./privileges.js";
import type { BakeDefinition, BakePlan, ReadBakeOptions } from "./read-bake.js";
import { placeContexts } from "./remote-contexts.js";
import { mergedTargets, resolve } from "./resolve.js";
import { shorthands } from "./shorthands.js";
import type { TargetFields } from "./target.js";
import { type TargetPlace, toBuildOptions } from "./to-build-options.js";

/** See `readBake()` in read-bake.ts. */
export async function planBake(given: ReadBakeOptions, connection?: Connection): Promise<BakePlan> {
  return planOf(
    connection
      ? readOptions("a connection's readBake()", given, connectionReadBakeKinds)
      : readOptions("readBake()", given, readBakeKinds),
    connection,
  );
}

/** See `readDefinition()` in read-bake.ts. */
export async function definitionOf(given: ReadBakeOptions, connection?: Connection): Promise<BakeDefinition> {
  const options = readOptions("readBake()", given, readBakeKinds);
  const { targets, groups, variables } = await modulesOf(options, connection);
  return { targets, groups, variables };
}

/** The same as {@link planBake} with options that have been looked at. */
export async function planOf(options: ReadBakeOptions, connection?: Connection): Promise<BakePlan> {
  const { cwd = process.cwd(), env = process.env, targets = [] } = options;
  const set = [...(options.set ?? []), ...shorthands(options)];
  const { source, ...definition } = await modulesOf(options, connection);
  const overrides = parseOverrides(set, definition.targets, (name) => variableOf(env, name));
  const resolved = resolve(definition, targets.length > 0 ? targets : ["default"], overrides);
  for (const target of resolved.targets.values()) settle(target, { env, cwd, source });
  const granted = grantsOf(set);
  return {
    ...resolved,
    variables: definition.variables,
    granted,
    missingPrivileges: (allow) => {
      const builds = [...resolved.targets.values()].map((target) => toBuildOptions(target, { cwd, env }));
      return missingPrivileges(builds, [...allow, ...granted], cwd);
    },
    toJSON: () => definitionJson(resolved),
  };
}

async function modulesOf(
  options: ReadBakeOptions,
  connection?: Connection,
): Promise<BakeDefinition & { source?: FetchedSource | undefined }> {
  const { env = process.env, remote } = options;
  const againstFile = standsAgainstFile(env);
  const { files, source } = await readDefinitions(options, connection);
  throwIfAborted(options.signal);
  try {
    const { compose, bodies } = await parseDefinitions(files);
    const project = compose.length > 0 ? await readCompose(compose, options) : { targets: [], groups: [] };
    const module = readModule(bodies, {
      builtins: new Map([
        ["BAKE_CMD_CONTEXT", remote?.commandContext ?? "cwd://"],
        ["BAKE_LOCAL_PLATFORM", formatPlatform(localPlatform())],
      ]),
      lookup: variableLookup(options, env),
      againstFile,
    });
    const directory = againstFile && compose[0] ? directoryOf(compose[0].name) : undefined;
    if (directory !== undefined) for (const target of project.targets) rebaseContexts(target, directory);
    return {
      ...module,
      source,
      targets: mergedTargets([...project.targets, ...module.targets]),
      groups: [
        ...project.groups.filter(({ name }) => !module.groups.some((own) => own.name === name)),
        ...module.groups,
      ],
    };
  } catch (error) {
    if (!(error instanceof HclError)) throw error;
    const { diagnostics } = error;
    const sources = firstPlace(diagnostics, files);
    throw new BakeError(diagnosticsText(diagnostics), { cause: error, diagnostics, sources });
  }
}

/** Where the first of the errors that have a place is. */
function firstPlace(diagnostics: readonly Diagnostic[], files: readonly DefinitionFile[]): SourceLocation[] {
  const subject = diagnostics.find((one) => one.subject)?.subject;
  const file = files.find(
    ({ name }) => subject && [name, `${name}.hcl`, `${name}.json`].includes(subject.filename),
  );
  if (!subject || !file) return [];
  const info = { filename: subject.filename, data: file.content, language: "hcl" };
  const place = ({ line, column }: Position) => ({ line, character: column - 1 });
  return [{ info, ranges: [{ start: place(subject.start), end: place(subject.end) }] }];
}

/** Loads what compose files take, for those who have some. */
async function readCompose(files: readonly DefinitionFile[], options: ReadBakeOptions) {
  const { cwd = process.cwd(), env = process.env, onEvent, signal } = options;
  const { composeTargets } = await import("./compose/compose-targets.js");
  return composeTargets(files, {
    cwd,
    signal,
    isForeign: options.remote !== undefined,
    lookup: variableLookup(options, env),
    onWarning: (text) => onEvent?.({ type: "message", level: "warning", text }),
  });
}

/** Values of variables from outside: those that are given, then the environment's, unless that is not to be looked at. */
function variableLookup({ vars = {} }: ReadBakeOptions, env: Environment) {
  const isShut = parseGoBool(variableOf(env, "BUILDX_BAKE_DISABLE_VARS_ENV_LOOKUP") ?? "") ?? false;
  return (name: string): string | undefined => {
    if (Object.hasOwn(vars, name)) return vars[name];
    return isShut ? undefined : variableOf(env, name);
  };
}

/** Gives a target what the environment says of all, and refuses what only a single build can have. */
function settle(
  target: TargetFields,
  { env, cwd, source }: TargetPlace & { source: FetchedSource | undefined },
): void {
  const epoch = variableOf(env, "SOURCE_DATE_EPOCH");
  if (epoch && !target.args?.has("SOURCE_DATE_EPOCH"))
    target.args = new Map([...(target.args ?? []), ["SOURCE_DATE_EPOCH", epoch]]);
  if (target.context === "-") throw new BakeError("context from stdin not allowed in bake");
  if (target.dockerfile === "-") throw new BakeError("dockerfile from stdin not allowed in bake");
  if (source) placeContexts(target, source, cwd);
  target.context = cleanContext(target.context ?? ".");
}

/** A path in its shortest form; addresses stay as they are. */
function cleanContext(context: string): string {
  if (isRemoteUrl(context)) return context;
  const local = context.startsWith("cwd://") ? context.slice("cwd://".length) : context;
  const clean = path.posix.normalize(local || ".");
  return clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
}
