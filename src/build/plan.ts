import type { sourcepolicy } from "../buildkit/index.js";
import { type DockerConfig, type Environment, parseGoBool, proxyBuildArgs } from "../config/index.js";
import { InvalidArgumentError } from "../core/index.js";
import { formatPlatformFully, parsePlatforms } from "../builder/index.js";
import type { BuildOptions } from "./build-options.js";
import { type CachePlan, planCaches } from "./caches.js";
import { type FrontendAttrs, frontendAttrs, resolveBuildArgs } from "./frontend-attrs.js";
import { gitInfo } from "./git-info.js";
import { type Inputs, resolveInputs } from "./inputs.js";
import { type PlannedExport, planOutputs } from "./outputs.js";
import { parseAttestations } from "./parse/attest.js";
import { type CallRequest, parseCall } from "./parse/call.js";
import { parsePolicies, unsupported } from "./parse/policy.js";
import { sourcePolicy } from "./source-policy.js";
import { randomId } from "./random-id.js";
import { isGitSshUrl } from "./remote-url.js";

/** Everything that a solve needs to know, resolved from the options before anything is dialled. Not changed afterwards. */
export interface SolvePlan {
  /** The build's id. */
  ref: string;
  frontend: "dockerfile.v0" | "gateway.v0";
  attrs: Readonly<FrontendAttrs>;
  inputs: Inputs;
  exports: readonly PlannedExport[];
  caches: CachePlan;
  entitlements: readonly string[];
  /** ssh agents to forward, as `--ssh` names them. */
  ssh: readonly string[];
  /** Rules on sources, from EXPERIMENTAL_BUILDKIT_SOURCE_POLICY. */
  sourcePolicy?: sourcepolicy.Policy | undefined;
  /** The session decides on every source. */
  policySession?: boolean;
  /** Requested platforms, normalised; none: the builder's own. */
  platforms: readonly string[];
  /** Attestations that the user asked for by name; an image with them is an index. */
  attestations: boolean;
  call?: CallRequest | undefined;
  /** Nothing was asked to come out, and nothing said that this is on purpose. */
  noOutput: boolean;
  /** What the user should know before the build starts. */
  warnings: readonly string[];
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
export async function planBuild(options: BuildOptions, facts: PlanFacts): Promise<SolvePlan> {
  const { env } = facts;
  const buildArgs = resolveBuildArgs(options.buildArgs, env);
  const epoch = env["SOURCE_DATE_EPOCH"];
  if (epoch && !buildArgs.has("SOURCE_DATE_EPOCH")) buildArgs.set("SOURCE_DATE_EPOCH", epoch);
  const call = parseCall(options.call);
  const { frontend, attrs, entitlements, allowLocalDelete } = frontendAttrs(options, buildArgs);
  if (!facts.engineStore && attrs["add-hosts"]?.split(",").some((host) => host.endsWith("=host-gateway")))
    throw new InvalidArgumentError(
      `unable to derive the IP value for host-gateway: host-gateway is not supported by the ${facts.driverName} driver`,
    );

  const attestations = parseAttestations(options);
  for (const [type, value] of attestations) if (value !== null) attrs[`attest:${type}`] = value;
  if (!attestations.has("provenance") && !noDefaultAttestations(env))
    attrs["attest:provenance"] = "mode=min,inline-only=true";

  const platforms = parsePlatforms(options.platforms ?? []).map(formatPlatformFully);
  if (platforms.length > 0) attrs["platform"] = platforms.join(",");

  for (const [name, value] of proxyBuildArgs(facts.dockerConfig, facts.engineHost ?? ""))
    if (![...buildArgs.keys()].some((given) => given.toLowerCase() === name.toLowerCase()))
      attrs[`build-arg:${name}`] = value;

  const outputs = await planOutputs({
    outputs: options.outputs ?? [],
    push: options.push ?? false,
    load: (options.load ?? false) || (isDefaultLoad(options, facts) && call === undefined),
    tags: options.tags ?? [],
    annotations: options.annotations ?? [],
    allowLocalDelete,
    env,
  });
  const inlineInfo = buildArgs.get("BUILDKIT_INLINE_BUILDINFO_ATTRS");
  if (inlineInfo !== undefined)
    for (const { type, attrs: exportAttrs } of outputs.exports)
      if (type === "docker" || type === "image" || type === "oci")
        exportAttrs["buildinfo-attrs"] = inlineInfo;

  const inputs = await resolveInputs(options, facts.nodeId, facts.signal);
  const noPolicies = parsePolicies(options.policies ?? []);
  if (inputs.policyPath !== undefined && !noPolicies)
    throw unsupported(`the policy ${inputs.policyPath}, which buildx would apply to this build`);
  if (noPolicies) {
    delete inputs.remotePolicy;
    delete inputs.archivePolicy;
  }
  if (!noPolicies && parseGoBool(env["BUILDX_DEFAULT_POLICY"] ?? "") === true)
    throw unsupported("BUILDX_DEFAULT_POLICY, by which buildx checks signatures of Docker's own images");
  const gitQuery = gitQueryWarning(inputs.attrs["frontend.caps"], env);
  const caches = await planCaches(
    options,
    env,
    parseGoBool(buildArgs.get("BUILDKIT_INLINE_CACHE") ?? "") === true,
  );
  const git = await gitAttrs(options, inputs, facts);
  const caps = [inputs.attrs["frontend.caps"], call && "moby.buildkit.frontend.subrequests+forward"];
  Object.assign(attrs, git.attrs, inputs.attrs, caches.attrs);
  if (call) {
    attrs["requestid"] = `frontend.${call.name}`;
    attrs["frontend.caps"] = caps
      .filter(Boolean)
      .flatMap((list) => (list as string).split(","))
      .sort()
      .join(",");
  }
  return {
    ref: randomId(),
    frontend,
    attrs,
    inputs,
    exports: call ? [] : outputs.exports,
    caches,
    entitlements,
    ssh: sshAgents(options),
    sourcePolicy: await sourcePolicy(env, facts.signal),
    platforms,
    attestations: [...attestations.values()].some((value) => value !== null),
    call,
    noOutput:
      !facts.engineStore &&
      outputs.exports.length === 0 &&
      !outputs.cacheOnly &&
      call === undefined &&
      !noDefaultLoad(env),
    warnings: [
      ...facts.dockerConfig.problems,
      ...caches.warnings,
      ...(git.warning === undefined ? [] : [git.warning]),
      ...gitQuery,
    ],
  };
}

/** With this variable buildx fetches such a context for frontends that do not know queries (buildx v0.38 processGitURL). */
function gitQueryWarning(caps = "", env: Environment): string[] {
  const isAsked = parseGoBool(env["BUILDX_SEND_GIT_QUERY_AS_INPUT"] ?? "") === true;
  if (!isAsked || !caps.includes("gitquerystring")) return [];
  return [
    "BUILDX_SEND_GIT_QUERY_AS_INPUT is not supported: the git address goes to the frontend with its query, which Dockerfile 1.18 and later understand",
  ];
}

/** A context that is cloned over ssh needs an agent, which goes without saying (buildx commands/build.go). */
function sshAgents({ ssh, context }: BuildOptions): readonly string[] {
  if (ssh !== undefined && ssh.length > 0) return ssh;
  const url = typeof context === "string" ? context : context.type === "remote" ? context.url : "";
  return isGitSshUrl(url) ? ["default"] : [];
}

function isDefaultLoad(options: BuildOptions, { defaultLoad, env }: PlanFacts): boolean {
  return defaultLoad && !options.push && (options.outputs ?? []).length === 0 && !noDefaultLoad(env);
}

function noDefaultLoad(env: Environment): boolean {
  return parseGoBool(env["BUILDX_NO_DEFAULT_LOAD"] ?? "") === true;
}

function noDefaultAttestations(env: Environment): boolean {
  const text = env["BUILDX_NO_DEFAULT_ATTESTATIONS"];
  if (text === undefined) return false;
  const flag = parseGoBool(text);
  if (flag === undefined)
    throw new InvalidArgumentError(
      `invalid BUILDX_NO_DEFAULT_ATTESTATIONS: ${JSON.stringify(text)} is not a boolean`,
    );
  return flag;
}

async function gitAttrs(options: BuildOptions, inputs: Inputs, { env, signal }: PlanFacts) {
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
