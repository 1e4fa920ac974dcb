import type { sourcepolicy } from "../buildkit/index.js";
import {
  type DockerConfig,
  type Environment,
  parseGoBool,
  proxyBuildArgs,
  readAuthorities,
} from "../config/index.js";
import { InvalidArgumentError, randomId } from "../core/index.js";
import { formatPlatformFully, parsePlatforms } from "../builder/index.js";
import { type CredentialsCallback, type SshAgentSpec, parseSshSpec } from "../session/index.js";
import type { BuildOptions } from "./build-options.js";
import type { CacheMountsOption } from "./cache-mounts/plan-cache-mounts.js";
import { type CachePlan, planCaches } from "./caches.js";
import { type FrontendAttrs, frontendAttrs, resolveBuildArgs } from "./frontend-attrs.js";
import { gitInfo } from "./git-info.js";
import { type Inputs, resolveInputs } from "./inputs.js";
import { hostRules } from "./network/host-rules.js";
import type { ProxyNetwork } from "./network/network-watch.js";
import { type PlannedExport, type PlannedOutputs, planOutputs } from "./outputs.js";
import { type CallRequest, parseCall } from "./parse/call.js";
import type { SecretInput } from "./parse/secret.js";
import type { PlannedOptions } from "./planned-options.js";
import { attestationAttrs } from "./plan-attestations.js";
import { withoutPolicies } from "./plan-policies.js";
import type { PlannedPolicies } from "./policy/source-judge.js";
import type { MetadataProvenance } from "./provenance.js";
import type { SourceRules } from "./source-rules.js";
import { isGitSshUrl } from "./remote-url.js";
import type { SourceEpoch } from "./reproducible/source-epoch.js";
import type { StepTrust } from "./trust-ca/step-trust.js";

/** How long a policy may think about a source, in ms. */
const defaultPolicyTimeout = 60_000;

/** Everything that a build is, resolved from the options before anything is dialled. Not changed afterwards. */
export interface SolvePlan {
  /** The build's id. */
  ref: string;
  frontend: "dockerfile.v0" | "gateway.v0";
  attrs: Readonly<FrontendAttrs>;
  inputs: Inputs;
  exports: readonly PlannedExport[];
  caches: CachePlan;
  entitlements: readonly string[];
  /** What the builder may ask of this side while it builds, besides inputs and caches. */
  serves: PlannedServices;
  /** RUN steps trust more authorities; the Dockerfile that is sent says so. */
  trust?: StepTrust | undefined;
  /** Rules on sources, from EXPERIMENTAL_BUILDKIT_SOURCE_POLICY. */
  sourcePolicy?: sourcepolicy.Policy | undefined;
  /** The session decides on every source. */
  policySession?: boolean;
  /** Functions that decide on sources. */
  policies?: PlannedPolicies;
  /** What every source must be, of a build that is pinned. */
  sourceRules?: SourceRules | undefined;
  /** The network of steps goes through the builder's proxy, and is watched. */
  proxyNetwork?: ProxyNetwork | undefined;
  /** The same is to come out each time; the time that it is said to be of. */
  epoch?: SourceEpoch;
  /** Why steps run again is to be found out. */
  explain?: boolean;
  /** Base images that the engine has come from there; see {@link BuildOptions.engineImages}. */
  engineImages: Exclude<BuildOptions["engineImages"], undefined>;
  /** Cache mounts are filled from there before the build, and saved there after it. */
  cacheMounts?: CacheMountsOption | undefined;
  /** Requested platforms, normalised; none: the builder's own. */
  platforms: readonly string[];
  /** Attestations that the user asked for by name; an image with them is an index. */
  attestations: boolean;
  /** How the build came about goes into its metadata. */
  metadataProvenance?: MetadataProvenance | undefined;
  /** How often a part may begin again on another node. */
  retries: number;
  call?: CallRequest | undefined;
  /** Nothing was asked to come out, and nothing said that this is on purpose. */
  noOutput: boolean;
  /** What the user should know before the build starts. */
  warnings: readonly string[];
}

/** What a session offers besides contexts and caches. */
export interface PlannedServices {
  secrets: Readonly<Record<string, SecretInput | undefined>>;
  /** ssh agents to forward. */
  ssh: readonly SshAgentSpec[];
  /** Asked for credentials before the docker config is. */
  credentials?: CredentialsCallback | undefined;
  /** What a file that changes while it is sent does to the build. */
  contextRace: "error" | "warn";
}

/** What planning needs of the world beyond the options. */
export interface PlanFacts {
  env: Environment;
  dockerConfig: DockerConfig;
  /** The engine's host, for its proxy settings in config.json. */
  engineHost?: string | undefined;
  /** This machine's id towards builders. */
  nodeId: string;
  /** Of the node that the plan is made for, for messages. */
  driverName: string;
  /** A build without outputs is loaded (driver option `default-load`). */
  defaultLoad: boolean;
  /** What is built stays in the engine's own store. */
  engineStore: boolean;
  signal?: AbortSignal | undefined;
}

/**
 * Resolves options into a plan (buildx v0.36 build/opt.go toSolveOpt). Reads the file system, asks a local git; talks
 * to no daemon.
 *
 * @throws InvalidArgumentError that names the option, path or value.
 */
export async function planBuild(options: PlannedOptions, facts: PlanFacts): Promise<SolvePlan> {
  const { env, signal } = facts;
  const buildArgs = buildArgsOf(options, env);
  const call = parseCall(options.call);
  const { frontend, attrs, entitlements, allowLocalDelete } = frontendAttrs(options, buildArgs);
  requireHosts(attrs, facts);
  const attestations = attestationAttrs(options, env);
  const platforms = parsePlatforms(options.platforms ?? []).map(formatPlatformFully);
  const load = options.load || (isDefaultLoad(options, facts) && call === undefined);
  const outputs = await outputsOf({ ...options, load }, { buildArgs, allowLocalDelete, env });
  const given = withoutPolicies(await resolveInputs(options, facts.nodeId, signal), options, env);
  const inputs = await withGitQueries(given, buildArgs, env);
  const inlineCache = parseGoBool(buildArgs.get("BUILDKIT_INLINE_CACHE") ?? "") === true;
  const caches = await planCaches(options, env, inlineCache);
  const git = await gitAttrs(options, inputs, facts);
  const reproducible = await reproducibleOf(options, inputs, outputs, facts);
  // After git was asked, which goes by where the Dockerfile is.
  const trust = options.trustCa ? await trustOf(options.trustCa, inputs, signal) : undefined;
  return {
    ref: randomId(),
    frontend,
    attrs: {
      ...attrs,
      ...attestations.attrs,
      ...(platforms.length > 0 && { platform: platforms.join(",") }),
      ...proxyAttrs(buildArgs, facts),
      ...reproducible.attrs,
      ...git.attrs,
      ...inputs.attrs,
      ...(await inputRecords(options, inputs, facts)),
      ...caches.attrs,
      ...(call && callAttrs(call, inputs.attrs["frontend.caps"])),
    },
    inputs,
    exports: call ? [] : outputs.exports,
    caches,
    entitlements,
    serves: servicesOf(options),
    ...(trust && { trust }),
    sourcePolicy: await sourcePolicyOf(env, signal),
    ...judgesOf(options),
    ...reproducible.plan,
    ...(options.explain && call === undefined && { explain: true }),
    engineImages: options.engineImages ?? false,
    ...(options.cacheMounts && !call && { cacheMounts: await cacheMountsOf(options.cacheMounts) }),
    platforms,
    attestations: attestations.isAsked,
    metadataProvenance: call ? undefined : options.metadataProvenance,
    retries: options.retries ?? 1,
    call,
    noOutput: call === undefined && !outputs.cacheOnly && outputs.exports.length === 0 && !isEnough(facts),
    warnings: [
      ...facts.dockerConfig.problems,
      ...caches.warnings,
      ...(git.warning === undefined ? [] : [git.warning]),
      ...reproducible.warnings,
    ],
  };
}

/**
 * What comes out of a build with these options, and is asked for when the build is planned already.
 *
 * @throws InvalidArgumentError that names the output or tag
 */
export function planLaterOutputs(
  options: BuildOptions,
  { env }: Pick<PlanFacts, "env">,
): Promise<PlannedOutputs> {
  const buildArgs = buildArgsOf(options, env);
  const { allowLocalDelete } = frontendAttrs(options, buildArgs);
  return outputsOf(options, { buildArgs, allowLocalDelete, env });
}

function outputsOf(
  { outputs = [], push = false, load, tags = [], annotations = [], reproducible = false }: PlannedOptions,
  known: { buildArgs: ReadonlyMap<string, string>; allowLocalDelete: boolean; env: Environment },
): Promise<PlannedOutputs> {
  const { buildArgs, ...more } = known;
  const buildinfoAttrs = buildArgs.get("BUILDKIT_INLINE_BUILDINFO_ATTRS");
  return planOutputs({ outputs, push, load, tags, annotations, buildinfoAttrs, reproducible, ...more });
}

/** The session is asked about each URL. A wrong host is refused before anything is dialled. */
function proxyOf({ proxyNetwork: given }: PlannedOptions): Pick<SolvePlan, "proxyNetwork" | "policySession"> {
  if (!given) return {};
  const proxyNetwork = given === true ? {} : given;
  hostRules(proxyNetwork.allowHosts ?? []);
  return { proxyNetwork, policySession: true };
}

/** Who decides on what the build takes in. */
function judgesOf(options: PlannedOptions) {
  return { ...proxyOf(options), ...policiesOf(options) };
}

/** The session is asked about each source. */
function policiesOf({
  policy,
  policyTimeoutMilliseconds: milliseconds = defaultPolicyTimeout,
}: PlannedOptions): Pick<SolvePlan, "policies" | "policySession"> {
  const policies = policy === undefined ? [] : [policy].flat();
  return policies.length > 0 ? { policies: { policies, milliseconds }, policySession: true } : {};
}

/** Loaded for the few builds that ask for it. */
async function reproducibleOf(
  options: PlannedOptions,
  { contextDirectory }: Inputs,
  { exports }: PlannedOutputs,
  { env, signal }: PlanFacts,
): Promise<{ attrs: FrontendAttrs; plan: Pick<SolvePlan, "epoch">; warnings: string[] }> {
  if (!options.reproducible) return { attrs: {}, plan: {}, warnings: [] };
  const { sourceEpoch, unsteadyOptions } = await import("./reproducible/source-epoch.js");
  const given = buildArgsOf(options, env).get("SOURCE_DATE_EPOCH");
  const epoch = await sourceEpoch({ given, contextDirectory, env, signal });
  return {
    attrs: { "build-arg:SOURCE_DATE_EPOCH": epoch.value },
    // A question about the Dockerfile has other answers.
    plan: parseCall(options.call) ? {} : { epoch },
    warnings: [
      ...(epoch.warning === undefined ? [] : [epoch.warning]),
      ...unsteadyOptions(options, exports, env),
    ],
  };
}

/** Loaded for the few builds that have one. */
async function sourcePolicyOf(env: Environment, signal: AbortSignal | undefined) {
  if (!env["EXPERIMENTAL_BUILDKIT_SOURCE_POLICY"]) return undefined;
  const { sourcePolicy } = await import("./source-policy.js");
  return sourcePolicy(env, signal);
}

/** Loaded for the few builds that ask for it. */
async function trustOf(path: string, inputs: Inputs, signal: AbortSignal | undefined): Promise<StepTrust> {
  const { trustInSteps } = await import("./trust-ca/trust-in-steps.js");
  return trustInSteps(inputs, await readAuthorities(path, { signal }));
}

/** Loaded for the few builds that ask for it. */
async function inputRecords(
  { recordInputs: isAsked = false }: Pick<BuildOptions, "recordInputs">,
  inputs: Inputs,
  { env, signal }: PlanFacts,
): Promise<FrontendAttrs> {
  if (!isAsked) return {};
  const { recordInputs } = await import("./recorded-input.js");
  return recordInputs(inputs, { env, signal });
}

/** Loaded for the few builds that ask for it. */
async function cacheMountsOf(option: CacheMountsOption): Promise<CacheMountsOption> {
  const { planCacheMounts } = await import("./cache-mounts/plan-cache-mounts.js");
  return planCacheMounts(option);
}

function buildArgsOf({ buildArgs }: PlannedOptions, env: Environment): Map<string, string> {
  const args = resolveBuildArgs(buildArgs, env);
  const epoch = env["SOURCE_DATE_EPOCH"];
  if (epoch && !args.has("SOURCE_DATE_EPOCH")) args.set("SOURCE_DATE_EPOCH", epoch);
  return args;
}

/** Only engines know the address that `host-gateway` stands for. */
function requireHosts(attrs: FrontendAttrs, { engineStore, driverName }: PlanFacts): void {
  if (engineStore || !attrs["add-hosts"]?.split(",").some((host) => host.endsWith("=host-gateway"))) return;
  throw new InvalidArgumentError(
    `unable to derive the IP value for host-gateway: host-gateway is not supported by the ${driverName} driver`,
  );
}

/** Build arguments for the proxies of the docker config, but for those that are given. */
function proxyAttrs(buildArgs: ReadonlyMap<string, string>, facts: PlanFacts): FrontendAttrs {
  const given = new Set([...buildArgs.keys()].map((name) => name.toLowerCase()));
  const proxies = [...proxyBuildArgs(facts.dockerConfig, facts.engineHost ?? "")];
  return Object.fromEntries(
    proxies
      .filter(([name]) => !given.has(name.toLowerCase()))
      .map(([name, value]) => [`build-arg:${name}`, value]),
  );
}

/** Asks the frontend for an answer instead of a result. */
function callAttrs({ name }: CallRequest, caps: string | undefined): FrontendAttrs {
  const all = [...(caps?.split(",") ?? []), "moby.buildkit.frontend.subrequests+forward"];
  return { requestid: `frontend.${name}`, "frontend.caps": all.sort().join(",") };
}

/** With this variable the builder gets git addresses with a query as graphs, for frontends that do not know them. */
async function withGitQueries(
  inputs: Inputs,
  buildArgs: ReadonlyMap<string, string>,
  env: Environment,
): Promise<Inputs> {
  if (parseGoBool(env["BUILDX_SEND_GIT_QUERY_AS_INPUT"] ?? "") !== true) return inputs;
  const { withGitInputs } = await import("./git-inputs.js");
  return withGitInputs(inputs, buildArgs);
}

function servicesOf(options: PlannedOptions): PlannedServices {
  const { secrets = {}, credentials, contextRace = "error" } = options;
  return { secrets, ssh: sshAgents(options).map(parseSshSpec), credentials, contextRace };
}

/** A context that is cloned over ssh needs an agent, which goes without saying (buildx commands/build.go). */
function sshAgents({ ssh, context }: PlannedOptions): readonly string[] {
  if (ssh !== undefined && ssh.length > 0) return ssh;
  const url = typeof context === "string" ? context : context.type === "remote" ? context.url : "";
  return isGitSshUrl(url) ? ["default"] : [];
}

function isDefaultLoad(options: PlannedOptions, { defaultLoad, env }: PlanFacts): boolean {
  return defaultLoad && !options.push && (options.outputs ?? []).length === 0 && !noDefaultLoad(env);
}

/** A build without outputs is as it should be. */
function isEnough({ engineStore, env }: PlanFacts): boolean {
  return engineStore || noDefaultLoad(env);
}

function noDefaultLoad(env: Environment): boolean {
  return parseGoBool(env["BUILDX_NO_DEFAULT_LOAD"] ?? "") === true;
}

async function gitAttrs(options: PlannedOptions, inputs: Inputs, { env, signal }: PlanFacts) {
  if (inputs.contextDirectory === undefined) return { attrs: {} };
  const mounts = new Map<string, string>();
  for (const [name, source] of inputs.locals) if (source.type === "directory") mounts.set(name, source.path);
  return gitInfo({
    contextDirectory: inputs.contextDirectory,
    dockerfilePath: options.file ?? `${inputs.contextDirectory}/Dockerfile`,
    mounts,
    env,
    signal,
  });
}
