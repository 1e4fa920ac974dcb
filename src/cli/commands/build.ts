import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import {
  type BuildOptions,
  type BuildResult,
  type SourcePolicy,
  build,
  contextFromStdin,
  dockerfileFromStdin,
  parseCache,
  parseCacheMounts,
  parseOutput,
  parseAttestations,
  parseCall,
  parseSecret,
} from "../../build/index.js";
import type { Environment } from "../../config/index.js";
import { InvalidArgumentError, messageOf } from "../../core/index.js";
import { display, joinSinks } from "../../progress/index.js";
import { Builder } from "../../builder/index.js";
import type { BuildRecord } from "../build-report.js";
import { printDetailsAfter } from "../build-details.js";
import { type CliContext, ExitCode, FailedBuild } from "../cli-context.js";
import { type BuildFlags, addBuildFlags } from "../build-flags.js";
import { keyValues, namedContexts } from "../flags.js";
import type { Looking } from "../invoke/looking.js";
import { metadataProvenance } from "../metadata-provenance.js";
import { PausableDisplay } from "../pausable-display.js";
import { readInput } from "../read-input.js";
import { prepareResultFiles } from "../result-files.js";
import { warn } from "../warn.js";

/** Flags that are taken and do nothing, with what to tell whoever uses them (buildx commands/build.go). */
const oldFlags = {
  isolation: "isolation flag is deprecated with BuildKit.",
  securityOpt: 'security-opt flag is deprecated. "RUN --security=insecure" should be used with BuildKit.',
  squash:
    "experimental flag squash is removed with BuildKit. You should squash inside build using a multi-stage Dockerfile for efficiency.",
};

/** `slipway build`: buildx's flags, defaults, texts and exit codes. */
export function command(context: CliContext): Command {
  return buildCommand(context, { isDebug: false });
}

/** The same, also as a command of `debug`. */
export function buildCommand(context: CliContext, { isDebug }: { isDebug: boolean }): Command {
  const command = new Command("build")
    .description("Start a build")
    .usage("[OPTIONS] PATH | URL | -")
    .argument("<path>", "Directory, URL, or - for standard input")
    .action(async (path: string, _flags: BuildFlags, self: Command) => {
      const flags = self.optsWithGlobals<BuildFlags>();
      await run(path, flags, context, await lookingOf(flags, { isDebug, context }));
    });
  addBuildFlags(command, context.env);
  return command;
}

/** Loaded for the few builds that are looked into. */
async function lookingOf(
  flags: BuildFlags,
  options: { isDebug: boolean; context: CliContext },
): Promise<Looking | undefined> {
  const { invoke, on, exportFailed } = flags;
  if (!options.isDebug && invoke === undefined && on === undefined && exportFailed === undefined)
    return undefined;
  const { Looking } = await import("../invoke/looking.js");
  return Looking.prepare(flags, options);
}

/** The old flags of single resources come first, so that `--resource` overrides them (buildx commands/build.go). */
function resources(flags: BuildFlags): string[] | undefined {
  const { memory, memorySwap, cpuShares, cpuPeriod, cpuQuota, cpusetCpus, cpusetMems } = flags;
  const old = Object.entries({
    memory,
    "memory-swap": memorySwap,
    "cpu-shares": cpuShares,
    "cpu-period": cpuPeriod,
    "cpu-quota": cpuQuota,
    "cpuset-cpus": cpusetCpus,
    "cpuset-mems": cpusetMems,
  }).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]));
  return old.length > 0 || flags.resource ? [...old, ...(flags.resource ?? [])] : undefined;
}

async function run(
  path: string,
  given: BuildFlags,
  context: CliContext,
  looking: Looking | undefined,
): Promise<void> {
  for (const [flag, text] of Object.entries(oldFlags))
    if (given[flag as keyof typeof oldFlags] !== undefined) warn(context, text);
  const flags = withoutEmptyPaths(given);
  const mode = progressMode(flags);
  const options = await toBuildOptions(path, flags, context);
  const files = await prepareResultFiles({ imageId: flags.iidfile, metadata: flags.metadataFile }, options);
  const records = await prepareRecords(flags, context);
  const progress = new PausableDisplay(() =>
    display(mode, context.stderr.stream, context.env, { debug: flags.debug ?? false }),
  );
  try {
    const builder = await openBuilder(flags.builder, context);
    const result = await asBuild(() =>
      recorded(records, context, () => {
        const asked = {
          ...options,
          builder,
          describe: flags.report !== undefined,
          env: context.env,
          signal: context.signal,
          onEvent: joinSinks(progress.sink, ...records.map(({ collector }) => collector)),
        };
        return looking ? looking.build(asked, progress) : build(asked);
      }),
    );
    await progress.close();
    if (!result.call) printDetailsAfter(mode, result.ref, context);
    if (flags.quiet && !result.call && result.imageId && !fillsStdout(options))
      context.stdout.text(`${result.imageId}\n`);
    await files.write(result, context.env, context.signal);
    if (result.call) {
      const { printCall } = await import("../print-call.js");
      const dockerfile = dockerfileName(path, flags.file);
      const status = printCall(result.call, { stdout: context.stdout, dockerfile });
      if (status !== 0) throw new ExitCode(status);
    }
    if (result.inlineMessage) context.stdout.text(`\n${result.inlineMessage}\n`);
    if (looking && looking.exitCode !== 0) throw new ExitCode(looking.exitCode);
  } finally {
    await progress.close();
  }
}

/** A result goes to standard output, which nothing else may follow: whoever reads it leaves at its end. */
function fillsStdout({ outputs = [] }: BuildOptions): boolean {
  return outputs.some(
    ({ type, dest }) => dest === "-" || (dest === undefined && (type === "tar" || type === "oci")),
  );
}

/** An empty path is none, as in buildx: `--metadata-file "$FILE"` of a script that has no FILE. */
function withoutEmptyPaths(flags: BuildFlags): BuildFlags {
  const read = { ...flags };
  for (const name of ["file", "iidfile", "metadataFile"] as const) if (read[name] === "") delete read[name];
  return read;
}

/** How the user knows the Dockerfile; undefined where the frontend knows it best (buildx build/opt.go loadInputs). */
function dockerfileName(context: string, file: string | undefined): string | undefined {
  if (file === "-") return "stdin";
  if (file !== undefined) return file;
  return existsSync(context) ? join(context, "Dockerfile") : undefined;
}

/** The builder's own trouble is told as it is, all that follows as trouble of the build (buildx commands/build.go). */
async function openBuilder(name: string | undefined, context: CliContext): Promise<Builder> {
  const { env, signal } = context;
  return Builder.open({ name, env, signal, onWarning: (text) => warn(context, text) });
}

/** What is written about a build besides its result. */
async function prepareRecords(flags: BuildFlags, context: CliContext): Promise<BuildRecord[]> {
  const records: BuildRecord[] = [];
  if (flags.networkLog !== undefined) {
    const { prepareNetworkLog } = await import("../network-log.js");
    records.push(await prepareNetworkLog(flags.networkLog, context));
  }
  if (flags.explain) {
    const { explanation } = await import("../print-explanation.js");
    records.push(explanation(context));
  }
  if (flags.report !== undefined) {
    const { prepareReport } = await import("../build-report.js");
    records.push(await prepareReport(flags.report, context));
  }
  return records;
}

/** Writes the records of a build that has ended, well or not; that one cannot be written does not hide why a build failed. */
async function recorded(
  records: readonly BuildRecord[],
  context: CliContext,
  work: () => Promise<BuildResult>,
): Promise<BuildResult> {
  let result: BuildResult;
  try {
    result = await work();
  } catch (error) {
    for (const record of records)
      await record.write({ error }).catch((failure: unknown) => warn(context, messageOf(failure)));
    throw error;
  }
  for (const record of records) await record.write({ result });
  return result;
}

async function asBuild<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new FailedBuild(error);
  }
}

/** The display's mode; `none` is quiet without the image id, `quiet` is `-q` (buildx commands/build.go toDisplayMode). */
function progressMode(flags: BuildFlags): string {
  if (flags.quiet && flags.progress !== "auto" && flags.progress !== "quiet")
    throw new InvalidArgumentError(`progress=${flags.progress} and quiet cannot be used together`);
  if (flags.progress === "quiet") flags.quiet = true;
  return flags.quiet ? "quiet" : flags.progress;
}

async function toBuildOptions(path: string, flags: BuildFlags, context: CliContext): Promise<BuildOptions> {
  // Their mistakes are told as those of flags, before all others.
  parseCall(flags.call);
  parseAttestations({ attests: flags.attest, provenance: flags.provenance, sbom: flags.sbom });
  const options: BuildOptions = {
    context: path,
    noCache: !flags.cache,
    network: flags.network,
    call: flags.check ? "check" : flags.call,
    tags: flags.tag ?? [],
    buildArgs: keyValues(flags.buildArg, undefined),
    labels: keyValues(flags.label, ""),
    outputs: given(flags.output).map(parseOutput),
    cacheFrom: given(flags.cacheFrom).flatMap(parseCache),
    cacheTo: given(flags.cacheTo).flatMap(parseCache),
    buildContexts: namedContexts(given(flags.buildContext)),
    secrets: secretsOf(given(flags.secret), context.env),
  };
  const lists = {
    addHosts: flags.addHost,
    allow: flags.allow,
    annotations: flags.annotation,
    attests: flags.attest,
    noCacheFilter: flags.cacheFilter === true ? undefined : flags.cacheFilter,
    platforms: flags.platform,
    policies: flags.policy,
    policy: flags.policyModule && (await policiesOf(flags.policyModule, context)),
    resources: resources(flags),
    ssh: given(flags.ssh),
    ulimits: flags.ulimit,
  };
  const values = {
    cacheMounts: flags.cacheMounts ? parseCacheMounts(flags.cacheMounts) : undefined,
    cgroupParent: flags.cgroupParent,
    contextRace: flags.contextRace,
    engineImages: Array.isArray(flags.engineImages) ? { allow: flags.engineImages } : flags.engineImages,
    load: flags.load,
    provenance: flags.provenance,
    pull: flags.pull,
    push: flags.push,
    sbom: flags.sbom,
    shmSize: flags.shmSize,
    target: flags.target,
    trustCa: flags.trustCa,
    explain: flags.explain,
    reproducible: flags.reproducible,
    recordInputs: flags.recordInputs,
    proxyNetwork: proxyNetwork(flags),
    metadataProvenance: flags.metadataFile === undefined ? undefined : metadataProvenance(context.env),
  };
  for (const [key, value] of Object.entries({ ...lists, ...values }))
    if (value !== undefined) Object.assign(options, { [key]: value });
  return withStandardInput(options, flags.file, context);
}

/** Loaded for the few builds that have them. */
async function policiesOf(paths: readonly string[], context: CliContext): Promise<SourcePolicy[]> {
  const { loadPolicies } = await import("../policy-modules.js");
  return loadPolicies(paths, context);
}

/** The network is watched where something is to be told of it, or refused. */
function proxyNetwork({ networkLog, allowHosts }: BuildFlags): BuildOptions["proxyNetwork"] {
  return allowHosts ? { allowHosts } : networkLog === undefined ? undefined : true;
}

/** `-` as context: an archive, or a lone Dockerfile; `-f -`: the Dockerfile. */
async function withStandardInput(
  options: BuildOptions,
  file: string | undefined,
  context: CliContext,
): Promise<BuildOptions> {
  if (options.context === "-") {
    if (file === "-")
      throw new FailedBuild(
        new InvalidArgumentError("invalid argument: can't use stdin for both build context and dockerfile"),
      );
    const input = await readInput(context, contextFromStdin);
    if ("dockerfile" in input && file !== undefined)
      throw new FailedBuild(
        new InvalidArgumentError(
          "ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles",
        ),
      );
    return { ...options, ...input, ...(file !== undefined && { file }) };
  }
  if (file === "-") return { ...options, dockerfile: await readInput(context, dockerfileFromStdin) };
  return file === undefined ? options : { ...options, file };
}

/** The values of a flag; empty ones, as scripts with unset variables give them, count as not given (buildx util/buildflags). */
function given(texts: readonly string[] | undefined): string[] {
  return (texts ?? []).filter((text) => text !== "");
}

function secretsOf(texts: readonly string[], env: Environment): NonNullable<BuildOptions["secrets"]> {
  const secrets = texts.map((text) => parseSecret(text, env));
  return Object.fromEntries(secrets.map(({ id, source }) => [id, source]));
}
