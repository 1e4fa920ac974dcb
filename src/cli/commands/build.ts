import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import {
  type BuildOptions,
  type BuildResult,
  build,
  contextFromStdin,
  dockerfileFromStdin,
  parseCache,
  parseOutput,
  parseAttestations,
  parseCall,
  parseSecret,
  parseUlimit,
} from "../../build/index.js";
import { type Environment, parseGoBool } from "../../config/index.js";
import { InvalidArgumentError, messageOf } from "../../core/index.js";
import { display, joinSinks } from "../../progress/index.js";
import { Builder } from "../../builder/index.js";
import { type BuildReport, prepareReport } from "../build-report.js";
import { printDetailsAfter } from "../build-details.js";
import { type CliContext, ExitCode, FailedBuild, type GlobalFlags } from "../cli-context.js";
import { bytes, collect, collectList, keyValues, switchOrList } from "../flags.js";
import { printCall } from "../print-call.js";
import { prepareResultFiles } from "../result-files.js";
import { warn } from "../warn.js";

/** Flags that are taken and do nothing, with what to tell whoever uses them (buildx commands/build.go). */
const oldFlags = {
  isolation: "isolation flag is deprecated with BuildKit.",
  securityOpt: 'security-opt flag is deprecated. "RUN --security=insecure" should be used with BuildKit.',
  squash:
    "experimental flag squash is removed with BuildKit. You should squash inside build using a multi-stage Dockerfile for efficiency.",
};

interface BuildFlags extends GlobalFlags {
  addHost?: string[];
  allow?: string[];
  annotation?: string[];
  attest?: string[];
  buildArg?: string[];
  buildContext?: string[];
  cacheFrom?: string[];
  cacheTo?: string[];
  call: string;
  cgroupParent?: string;
  check?: boolean;
  contextRace?: "error" | "warn";
  engineImages?: boolean | string[];
  file?: string;
  iidfile?: string;
  isolation?: string;
  securityOpt?: string[];
  squash?: boolean;
  /** Values of the old flags of single resources, such as `-m`. */
  memory?: string;
  memorySwap?: string;
  cpuShares?: string;
  cpuPeriod?: string;
  cpuQuota?: string;
  cpusetCpus?: string;
  cpusetMems?: string;
  label?: string[];
  load?: boolean;
  metadataFile?: string;
  network: string;
  cache: boolean;
  /** `--no-cache-filter`; commander drops the `no` of the name and starts at true. */
  cacheFilter: string[] | true;
  output?: string[];
  platform?: string[];
  policy?: string[];
  progress: string;
  provenance?: string;
  pull?: boolean;
  push?: boolean;
  quiet?: boolean;
  report?: string;
  resource?: string[];
  sbom?: string;
  secret?: string[];
  shmSize?: number;
  ssh?: string[];
  tag?: string[];
  target?: string;
  ulimit?: string[];
}

/** `slipway build`: buildx's flags, defaults, texts and exit codes. */
export function command(context: CliContext): Command {
  const platforms = context.env["DOCKER_DEFAULT_PLATFORM"];
  const command = new Command("build")
    .description("Start a build")
    .usage("[OPTIONS] PATH | URL | -")
    .argument("<path>", "Directory, URL, or - for standard input")
    .option("--add-host <strings>", 'Add a custom host-to-IP mapping (format: "host:ip")', collectList)
    .option(
      "--allow <stringArray>",
      'Allow extra privileged entitlement (e.g., "network.host", "security.insecure", "device", "buildx.local.delete")',
      collect,
    )
    .option("--annotation <stringArray>", "Add annotation to the image", collect)
    .option("--attest <stringArray>", 'Attestation parameters (format: "type=sbom,generator=image")', collect)
    .option("--build-arg <stringArray>", "Set build-time variables", collect)
    .option("--build-context <stringArray>", "Additional build contexts (e.g., name=path)", collect)
    .option(
      "--cache-from <stringArray>",
      'External cache sources (e.g., "user/app:cache", "type=local,src=path/to/dir")',
      collect,
    )
    .option(
      "--cache-to <stringArray>",
      'Cache export destinations (e.g., "user/app:cache", "type=local,dest=path/to/dir")',
      collect,
    )
    .option("--call <string>", 'Set method for evaluating build ("check", "outline", "targets")', "build")
    .option("--cgroup-parent <string>", 'Set the parent cgroup for the "RUN" instructions during build')
    .option("--check", 'Shorthand for "--call=check"')
    .addOption(
      new Option(
        "--context-race <string>",
        'What to do about files that are written to while they are sent ("error", "warn")',
      ).choices(["error", "warn"]),
    )
    .option(
      "--engine-images [list]",
      "Take base images that the engine has from there: those that the Dockerfile names, or these",
      switchOrList,
    )
    .option("-f, --file <string>", 'Name of the Dockerfile (default: "PATH/Dockerfile")')
    .option("--iidfile <string>", "Write the image ID to a file")
    .option("--label <stringArray>", "Set metadata for an image", collect)
    .option("--load", 'Shorthand for "--output=type=docker"')
    .option("--metadata-file <string>", "Write build result metadata to a file")
    .option(
      "--network <string>",
      'Set the networking mode for the "RUN" instructions during build',
      "default",
    )
    .option("--no-cache", "Do not use cache when building the image")
    .option("--no-cache-filter <stringArray>", "Do not cache specified stages", collect)
    .option("-o, --output <stringArray>", 'Output destination (format: "type=local,dest=path")', collect)
    .addOption(
      new Option("--platform <stringArray>", "Set target platform for build")
        .argParser(collect)
        .default(platforms ? [platforms] : undefined),
    )
    .option(
      "--policy <stringArray>",
      "Policy configuration (only disabled=true; rego is not supported)",
      collect,
    )
    .option(
      "--progress <string>",
      'Set type of progress output ("auto", "none",  "plain", "quiet", "rawjson", "tty"). Use plain to show container output',
      "auto",
    )
    .option("--provenance <string>", 'Shorthand for "--attest=type=provenance"')
    .option("--pull", "Always attempt to pull all referenced images")
    .option("--push", 'Shorthand for "--output=type=registry,unpack=false"')
    .option("-q, --quiet", "Suppress the build output and print image ID on success")
    .option("--report <path>", "Write a page that shows where the build's time went")
    .option(
      "--resource <stringArray>",
      'Resource limits for build containers (format: "memory=2g", "cpu-quota=50000")',
      collect,
    )
    .option("--sbom <string>", 'Shorthand for "--attest=type=sbom"')
    .option(
      "--secret <stringArray>",
      'Secret to expose to the build (format: "id=mysecret[,src=/local/secret]")',
      collect,
    )
    .option("--shm-size <bytes>", "Shared memory size for build containers", bytes)
    .option(
      "--ssh <stringArray>",
      'SSH agent socket or keys to expose to the build (format: "default|<id>[=<socket>|<key>[,<key>]]")',
      collect,
    )
    .option("-t, --tag <stringArray>", 'Image identifier (format: "[registry/]repository[:tag]")', collect)
    .option("--target <string>", "Set the target build stage to build")
    .option("--ulimit <ulimit>", "Ulimit options", ulimit)
    .action((path: string, _flags: BuildFlags, self: Command) => run(path, self.optsWithGlobals(), context));
  for (const flag of ["-m, --memory", "--memory-swap", "-c, --cpu-shares", "--cpu-period", "--cpu-quota"])
    command.addOption(new Option(`${flag} <value>`).hideHelp());
  for (const flag of ["--cpuset-cpus", "--cpuset-mems"])
    command.addOption(new Option(`${flag} <value>`).hideHelp());
  for (const flag of ["--compress", "--rm", "--force-rm", "--squash"])
    command.addOption(new Option(flag).hideHelp());
  // The old name of --call; the last of the two counts (buildx commands/build.go).
  command.addOption(
    new Option("--print <string>").hideHelp().argParser((text) => command.setOptionValue("call", text)),
  );
  command.addOption(new Option("--isolation <string>").hideHelp());
  command.addOption(new Option("--security-opt <strings>").hideHelp().argParser(collectList));
  return command;
}

function ulimit(value: string, previous: unknown): string[] {
  parseUlimit(value);
  return collect(value, previous);
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

async function run(path: string, flags: BuildFlags, context: CliContext): Promise<void> {
  for (const [flag, text] of Object.entries(oldFlags))
    if (flags[flag as keyof typeof oldFlags] !== undefined) warn(context, text);
  const mode = progressMode(flags);
  const options = await toBuildOptions(path, flags, context);
  const files = await prepareResultFiles({ imageId: flags.iidfile, metadata: flags.metadataFile }, options);
  const report = flags.report === undefined ? undefined : await prepareReport(flags.report, context);
  const progress = display(mode, context.stderr.stream, context.env, { debug: flags.debug ?? false });
  try {
    const builder = await openBuilder(flags.builder, context);
    const result = await asBuild(() =>
      reported(report, context, () =>
        build({
          ...options,
          builder,
          describe: report !== undefined,
          env: context.env,
          signal: context.signal,
          onEvent: report ? joinSinks(progress, report.collector) : progress,
        }),
      ),
    );
    await progress.close();
    if (!result.call) printDetailsAfter(mode, result.ref, context);
    if (flags.quiet && !result.call && result.imageId) context.stdout.text(`${result.imageId}\n`);
    await files.write(result, context.env, context.signal);
    if (result.call) {
      const dockerfile = dockerfileName(path, flags.file);
      const status = printCall(result.call, { stdout: context.stdout, dockerfile });
      if (status !== 0) throw new ExitCode(status);
    }
    if (result.inlineMessage) context.stdout.text(`\n${result.inlineMessage}\n`);
  } finally {
    await progress.close();
  }
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

/** Writes the report of a build that has ended, well or not; that it cannot be written does not hide why a build failed. */
async function reported(
  report: BuildReport | undefined,
  context: CliContext,
  work: () => Promise<BuildResult>,
): Promise<BuildResult> {
  let result: BuildResult;
  try {
    result = await work();
  } catch (error) {
    await report?.write({ error }).catch((failure: unknown) => warn(context, messageOf(failure)));
    throw error;
  }
  await report?.write({ result });
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
    resources: resources(flags),
    ssh: given(flags.ssh),
    ulimits: flags.ulimit,
  };
  const values = {
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
    metadataProvenance: flags.metadataFile === undefined ? undefined : metadataProvenance(context.env),
  };
  for (const [key, value] of Object.entries({ ...lists, ...values }))
    if (value !== undefined) Object.assign(options, { [key]: value });
  return withStandardInput(options, flags.file, context);
}

/** `BUILDX_METADATA_PROVENANCE`: `min` (the default) or `max`; what is false turns it off (buildx util/confutil/metadata.go). */
function metadataProvenance(env: Environment): BuildOptions["metadataProvenance"] {
  const text = env["BUILDX_METADATA_PROVENANCE"] ?? "";
  if (text === "disabled" || parseGoBool(text) === false) return undefined;
  return text === "max" ? "max" : "min";
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
    const input = await contextFromStdin(context.stdin);
    if ("dockerfile" in input && file !== undefined)
      throw new FailedBuild(
        new InvalidArgumentError(
          "ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles",
        ),
      );
    return { ...options, ...input, ...(file !== undefined && { file }) };
  }
  if (file === "-") return { ...options, dockerfile: await dockerfileFromStdin(context.stdin) };
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

function namedContexts(texts: readonly string[]): Record<string, string> {
  const contexts: Record<string, string> = {};
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at <= 0) throw new InvalidArgumentError(`invalid context value: ${text}, expected key=value`);
    contexts[text.slice(0, at)] = text.slice(at + 1);
  }
  return contexts;
}
