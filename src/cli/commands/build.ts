import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import {
  type BuildOptions,
  build,
  contextFromStdin,
  parseCache,
  parseOutput,
  parseSecret,
  readStream,
} from "../../build/index.js";
import { type Environment, parseGoBool } from "../../config/index.js";
import { InvalidArgumentError } from "../../core/index.js";
import { display } from "../../progress/index.js";
import type { CliContext, GlobalFlags } from "../cli-context.js";
import { ExitCode } from "../cli-context.js";
import { bytes, collect, collectList, keyValues } from "../flags.js";
import { printCall } from "../print-call.js";
import { prepareResultFiles } from "../result-files.js";

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
  engineImages?: boolean;
  file?: string;
  iidfile?: string;
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
    .option("--add-host <host:ip>", "Add a custom host-to-IP mapping", collectList)
    .option("--allow <entitlement>", "Allow extra privileged entitlement", collect)
    .option("--annotation <key=value>", "Add annotation to the image", collect)
    .option("--attest <parameters>", "Attestation parameters", collect)
    .option("--build-arg <key=value>", "Set build-time variables", collect)
    .option("--build-context <name=value>", "Additional build contexts", collect)
    .option("--cache-from <source>", "External cache sources", collect)
    .option("--cache-to <target>", "Cache export destinations", collect)
    .option("--call <method>", "Set method for evaluating build (check, outline, targets)", "build")
    .option("--cgroup-parent <string>", "Set the parent cgroup for the RUN instructions during build")
    .option("--check", "Shorthand for --call=check")
    .option("--engine-images", "Take base images that the engine has from there")
    .option("-f, --file <path>", "Name of the Dockerfile (default: PATH/Dockerfile)")
    .option("--iidfile <path>", "Write the image ID to a file")
    .option("--label <key=value>", "Set metadata for an image", collect)
    .option("--load", "Shorthand for --output=type=docker")
    .option("--metadata-file <path>", "Write build result metadata to a file")
    .option("--network <mode>", "Set the networking mode for the RUN instructions during build", "default")
    .option("--no-cache", "Do not use cache when building the image")
    .option("--no-cache-filter <stage>", "Do not cache specified stages", collect)
    .option("-o, --output <destination>", "Output destination (format: type=local,dest=path)", collect)
    .addOption(
      new Option("--platform <platform>", "Set target platform for build")
        .argParser(collect)
        .default(platforms ? [platforms] : undefined),
    )
    .option(
      "--policy <parameters>",
      "Policy configuration (only disabled=true; rego is not supported)",
      collect,
    )
    .option(
      "--progress <type>",
      "Set type of progress output (auto, none, plain, quiet, rawjson, tty)",
      "auto",
    )
    .option("--provenance <parameters>", "Shorthand for --attest=type=provenance")
    .option("--pull", "Always attempt to pull all referenced images")
    .option("--push", "Shorthand for --output=type=registry,unpack=false")
    .option("-q, --quiet", "Suppress the build output and print image ID on success")
    .option("--resource <key=value>", "Resource limits for build containers", collect)
    .option("--sbom <parameters>", "Shorthand for --attest=type=sbom")
    .option(
      "--secret <source>",
      "Secret to expose to the build (format: id=mysecret[,src=/local/secret])",
      collect,
    )
    .option("--shm-size <bytes>", "Shared memory size for build containers", bytes)
    .option("--ssh <agent>", "SSH agent socket or keys to expose to the build", collect)
    .option("-t, --tag <name>", "Image identifier (format: [registry/]repository[:tag])", collect)
    .option("--target <stage>", "Set the target build stage to build")
    .option("--ulimit <limit>", "Ulimit options", collect)
    .action((path: string, _flags: BuildFlags, self: Command) => run(path, self.optsWithGlobals(), context));
  for (const flag of ["-m, --memory", "--memory-swap", "-c, --cpu-shares", "--cpu-period", "--cpu-quota"])
    command.addOption(new Option(`${flag} <value>`).hideHelp());
  for (const flag of ["--cpuset-cpus", "--cpuset-mems"])
    command.addOption(new Option(`${flag} <value>`).hideHelp());
  for (const flag of ["--compress", "--rm", "--force-rm"]) command.addOption(new Option(flag).hideHelp());
  return command;
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
  const mode = progressMode(flags);
  const options = await toBuildOptions(path, flags, context);
  const files = await prepareResultFiles({ imageId: flags.iidfile, metadata: flags.metadataFile }, options);
  const progress = display(mode, context.stderr, context.env, { debug: flags.debug ?? false });
  try {
    const result = await build({
      ...options,
      ...(flags.builder && { builder: flags.builder }),
      describe: false,
      env: context.env,
      signal: context.signal,
      onEvent: progress,
    });
    await progress.close();
    if (flags.quiet && !result.call && result.imageId) context.stdout.write(`${result.imageId}\n`);
    await files.write(result, context.env);
    if (result.call) {
      const dockerfile = dockerfileName(path, flags.file);
      const status = printCall(result.call, { stdout: context.stdout, dockerfile });
      if (status !== 0) throw new ExitCode(status);
    }
    if (result.inlineMessage) context.stdout.write(`\n${result.inlineMessage}\n`);
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

/** The display's mode; `none` is quiet without the image id, `quiet` is `-q` (buildx commands/build.go toDisplayMode). */
function progressMode(flags: BuildFlags): string {
  if (flags.quiet && flags.progress !== "auto" && flags.progress !== "quiet")
    throw new InvalidArgumentError(`progress=${flags.progress} and quiet cannot be used together`);
  if (flags.progress === "quiet") flags.quiet = true;
  return flags.quiet ? "quiet" : flags.progress;
}

async function toBuildOptions(path: string, flags: BuildFlags, context: CliContext): Promise<BuildOptions> {
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
    secrets: Object.fromEntries(
      given(flags.secret)
        .map((text) => parseSecret(text, context.env))
        .map(({ id, source }) => [id, source]),
    ),
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
    engineImages: flags.engineImages,
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
      throw new InvalidArgumentError(
        "invalid argument: can't use stdin for both build context and dockerfile",
      );
    const input = await contextFromStdin(context.stdin);
    if ("dockerfile" in input && file !== undefined)
      throw new InvalidArgumentError(
        "ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles",
      );
    return { ...options, ...input, ...(file !== undefined && { file }) };
  }
  if (file === "-") return { ...options, dockerfile: await readStream(context.stdin) };
  return file === undefined ? options : { ...options, file };
}

/** The values of a flag; empty ones, as scripts with unset variables give them, count as not given (buildx util/buildflags). */
function given(texts: readonly string[] | undefined): string[] {
  return (texts ?? []).filter((text) => text !== "");
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
