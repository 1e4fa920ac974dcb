import { Command } from "commander";
import {
  type BakeOptions,
  type BakePlan,
  type BakeResult,
  type Connection,
  type ReadBakeOptions,
  type RemoteBake,
  bake,
  checkPlan,
  connect,
  longestSource,
  policyOverrides,
  readBake,
  readDefinition,
  readDefinitionOn,
} from "../../bake/index.js";
import { type SourcePolicy, TargetsError, isRemoteUrl } from "../../build/index.js";
import { goJson, parseGoBool } from "../../config/index.js";
import { InvalidArgumentError } from "../../core/index.js";
import { type ResultFile, prepareResultFile, readStreamBounded } from "../../fs/index.js";
import { type ProgressSink, dedupeWarnings, display, warningJson } from "../../progress/index.js";
import { Builder } from "../../builder/index.js";
import { type BakeFlags, addBakeFlags } from "../bake-flags.js";
import { grantPrivileges } from "../bake-privileges.js";
import { type CliContext, ExitCode } from "../cli-context.js";
import { keyValues } from "../flags.js";
import { metadataProvenance } from "../metadata-provenance.js";
import { readInput } from "../read-input.js";
import { parseJobs } from "../parse-jobs.js";
import { printBakeCalls } from "../print-bake-calls.js";
import { parseBakeList, printBakeList } from "../print-bake-list.js";
import { warn } from "../warn.js";

/** `slipway bake`: buildx's flags, defaults, texts and exit codes. */
export function command(context: CliContext): Command {
  const command = new Command("bake")
    .description("Build from a file")
    .usage("[OPTIONS] [TARGET...]")
    .argument("[targets...]", "Targets and groups")
    .action((targets: string[], _flags: BakeFlags, self: Command) =>
      run(targets, self.optsWithGlobals(), context),
    );
  addBakeFlags(command);
  return command;
}

async function run(targets: string[], flags: BakeFlags, context: CliContext): Promise<void> {
  const list = listOf(flags, context);
  if (list && flags.print) throw new InvalidArgumentError("--print and --list are mutually exclusive");
  const jobs = parseJobs(flags.jobs);
  const options = readOptionsOf(targets, flags, context);
  const metadata =
    !flags.metadataFile || list || flags.print
      ? undefined
      : await prepareResultFile(flags.metadataFile, "metadata file");
  const progress = display(flags.progress, context.stderr.stream, context.env, {
    debug: flags.debug ?? false,
  });
  try {
    await read(
      { list, options: { ...options, onEvent: progress }, jobs },
      { flags, metadata, progress },
      context,
    );
  } finally {
    await progress.close();
  }
}

/** What the command line asks for. */
interface Asked {
  list: string | undefined;
  options: ReadBakeOptions;
  jobs: ReturnType<typeof parseJobs>;
}

/** Reads definitions, those that are elsewhere on a connection that builds then run on as well. */
async function read(asked: Asked, around: Around, context: CliContext): Promise<void> {
  if (!asked.options.remote) return perform(asked, around, context);
  const { env, signal } = context;
  const builder = await openBuilder(around.flags, context);
  const connection = await connect({ builder, env, onEvent: around.progress, signal });
  try {
    await perform(asked, { ...around, connection }, context);
  } finally {
    await connection.close();
  }
}

async function perform({ list, options, jobs }: Asked, around: Around, context: CliContext): Promise<void> {
  const { flags, progress, connection } = around;
  if (list) {
    const definition = connection
      ? await readDefinitionOn(connection, options)
      : await readDefinition(options);
    await progress.close();
    return printBakeList(definition, parseBakeList(list), context.stdout);
  }
  const plan = connection ? await connection.readBake(options) : await readBake(options);
  plan.missingPrivileges(flags.allow ?? []);
  if (flags.print) {
    await checkPlan(plan, { cwd: process.cwd(), env: context.env });
    await progress.close();
    return context.stdout.json(`${goJson(plan.toJSON())}\n`);
  }
  await build(plan, { ...options, ...jobs }, around, context);
}

function openBuilder(flags: BakeFlags, context: CliContext): Promise<Builder> {
  const { env, signal } = context;
  return Builder.open({ name: flags.builder, env, signal, onWarning: (text) => warn(context, text) });
}

/** What a build works with besides plan and options. */
interface Around {
  flags: BakeFlags;
  metadata: ResultFile | undefined;
  progress: ProgressSink;
  /** Where the definition was fetched. */
  connection?: Connection | undefined;
}

async function build(
  plan: BakePlan,
  options: BakeOptions,
  { flags, metadata, progress, connection }: Around,
  context: CliContext,
): Promise<void> {
  const isSilent = flags.progress === "rawjson";
  const isRemote = connection !== undefined;
  const allow = await grantPrivileges({ plan, allow: flags.allow ?? [], isSilent, isRemote }, context);
  const { env, signal } = context;
  const provenance = metadata && metadataProvenance(env);
  const policy = flags.policyModule && (await policiesOf(flags.policyModule, context));
  const whole: BakeOptions = {
    ...options,
    plan,
    allow,
    signal,
    describe: false,
    reproducible: flags.reproducible ?? false,
    recordInputs: flags.recordInputs ?? false,
    ...(provenance && { metadataProvenance: provenance }),
    ...(policy && { policy }),
  };
  const result = connection
    ? await connection.bake(whole)
    : await bake({ ...whole, builder: await openBuilder(flags, context) });
  await progress.close();
  await metadata?.write(JSON.stringify(withWarnings(result, context), undefined, 2), signal);
  const exitCode = printBakeCalls(plan, result, callOf(flags), context.stdout);
  for (const [name, { inlineMessage }] of result.targets)
    if (inlineMessage) context.stdout.text(`\n# ${name}\n${inlineMessage}\n`);
  if (result.failures.size > 1) throw new TargetsError(result.failures);
  for (const error of result.failures.values()) throw error;
  if (exitCode !== 0) throw new ExitCode(exitCode);
}

/** Loaded for the few bakes that have them. */
async function policiesOf(paths: readonly string[], context: CliContext): Promise<SourcePolicy[]> {
  const { loadPolicies } = await import("../policy-modules.js");
  return loadPolicies(paths, context);
}

function withWarnings({ metadata, targets }: BakeResult, { env }: CliContext): Record<string, unknown> {
  const all = [...targets.values()].filter(({ call }) => !call).flatMap(({ warnings }) => warnings);
  if (parseGoBool(env["BUILDX_METADATA_WARNINGS"] ?? "") !== true || all.length === 0) return metadata;
  return { ...metadata, "buildx.build.warnings": dedupeWarnings(all).map(warningJson) };
}

function callOf(flags: BakeFlags): string {
  return flags.check ? "check" : flags.call;
}

/** The value of `--list`, or what its old forms stand for. */
function listOf({ list, listTargets, listVariables }: BakeFlags, context: CliContext): string | undefined {
  const old = listTargets ? "targets" : listVariables ? "variables" : undefined;
  if (old !== undefined)
    context.stderr.text(
      `Flag --list-${old} has been deprecated, list-${old} is deprecated, use list=${old} instead\n`,
    );
  return list || old;
}

function readOptionsOf(args: string[], flags: BakeFlags, context: CliContext): ReadBakeOptions {
  const { env, signal } = context;
  const { remote, targets } = splitArguments(args);
  const set = [...(flags.set ?? []), ...policyOverrides(flags.policy ?? [])];
  const options: ReadBakeOptions = {
    env,
    ...(remote && { remote }),
    targets,
    set,
    vars: variables(flags.var),
    readInput: () =>
      readInput(context, (stdin) =>
        readStreamBounded(stdin, "the definition from standard input", longestSource),
      ),
    signal,
  };
  const more = {
    files: flags.file,
    push: flags.push,
    load: flags.load,
    noCache: flags.cache ? undefined : true,
    pull: flags.pull,
    sbom: flags.sbom,
    provenance: flags.provenance,
    call: callOf(flags),
  };
  for (const [key, value] of Object.entries(more))
    if (value !== undefined) Object.assign(options, { [key]: value });
  return options;
}

/** A first operand that is an address is where the definition is, a second one what `BAKE_CMD_CONTEXT` says. */
function splitArguments(args: readonly string[]): { remote?: RemoteBake; targets: string[] } {
  const [url, commandContext] = args;
  if (url === undefined || !isRemoteUrl(url)) return { targets: [...args] };
  if (commandContext === undefined || !isRemoteUrl(commandContext))
    return { remote: { url }, targets: args.slice(1) };
  return { remote: { url, commandContext }, targets: args.slice(2) };
}

function variables(texts: readonly string[] = []): Record<string, string> {
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at > 0) continue;
    const problem = at < 0 ? "expected key=value" : "key is empty";
    throw new InvalidArgumentError(`invalid variable ${JSON.stringify(text)}, ${problem}`);
  }
  return keyValues(texts, "");
}
