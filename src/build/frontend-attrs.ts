import { isIP } from "node:net";
import { parseGoBool, parseSize, variableBytes, variableOf } from "../config/index.js";
import { InvalidArgumentError, messageOf } from "../core/index.js";
import type { BuildOptions } from "./build-options.js";
import type { PlannedOptions } from "./planned-options.js";
import { splitPair } from "./parse/fields.js";

/** Frontend attributes: what BuildKit's frontends take (BK frontend/dockerui/config.go). */
export type FrontendAttrs = Record<string, string>;

/** Frontend and attributes that follow from the options alone; contexts and attestations add theirs. */
export interface FrontendPlan {
  frontend: "dockerfile.v0" | "gateway.v0";
  attrs: FrontendAttrs;
  /** Entitlements to ask for; only what the user allowed (SEC-13). */
  entitlements: string[];
  /** `buildx.local.delete` was allowed. */
  allowLocalDelete: boolean;
}

/**
 * Turns options into frontend attributes, as buildx v0.36 build/opt.go toSolveOpt does.
 *
 * @throws InvalidArgumentError that names the option.
 */
export function frontendAttrs(options: PlannedOptions, buildArgs: ReadonlyMap<string, string>): FrontendPlan {
  const { entitlements, allowLocalDelete } = parseEntitlements(options.allow ?? []);
  const attrs: FrontendAttrs = {};
  const frontend = frontendOf(buildArgs, attrs);
  if (parseGoBool(buildArgs.get("BUILDKIT_MULTI_PLATFORM") ?? "")) attrs["multi-platform"] = "true";
  for (const [name, value] of buildArgs) attrs[`build-arg:${name}`] = value;
  for (const [name, value] of Object.entries(options.labels ?? {}))
    if (value !== undefined) attrs[`label:${name}`] = value;
  if (options.pull) attrs["image-resolve-mode"] = "pull";
  if (options.target) attrs["target"] = options.target;
  Object.assign(attrs, cacheAttrs(options), stepAttrs(options));
  if (attrs["force-network-mode"] === "host") entitlements.push("network.host");
  return { frontend, attrs, entitlements, allowLocalDelete };
}

/** The built-in frontend, or the image that the build argument BUILDKIT_SYNTAX names. */
function frontendOf(buildArgs: ReadonlyMap<string, string>, attrs: FrontendAttrs): FrontendPlan["frontend"] {
  const syntax = buildArgs.get("BUILDKIT_SYNTAX");
  if (syntax === undefined) return "dockerfile.v0";
  const [source] = syntax.trim().split(" ");
  if (!source)
    throw new InvalidArgumentError(
      "empty BUILDKIT_SYNTAX build-arg is invalid, use --build-arg BUILDKIT_SYNTAX without '=' for optional behavior",
    );
  attrs["source"] = source;
  attrs["cmdline"] = syntax;
  return "gateway.v0";
}

function cacheAttrs({ noCache, noCacheFilter = [] }: PlannedOptions): FrontendAttrs {
  if (noCache && noCacheFilter.length > 0)
    throw new InvalidArgumentError("--no-cache and --no-cache-filter cannot currently be used together");
  if (noCache) return { "no-cache": "" };
  return noCacheFilter.length > 0 ? { "no-cache": noCacheFilter.join(",") } : {};
}

/** What RUN steps run in. */
function stepAttrs(options: PlannedOptions): FrontendAttrs {
  const attrs: FrontendAttrs = {};
  if (options.cgroupParent) attrs["cgroup-parent"] = options.cgroupParent;
  const network = networkMode(options.network ?? "");
  if (network !== undefined) attrs["force-network-mode"] = network;
  const hosts = (options.addHosts ?? []).flatMap(parseHost);
  if (hosts.length > 0) attrs["add-hosts"] = hosts.join(",");
  if (options.shmSize && options.shmSize > 0) attrs["shm-size"] = String(options.shmSize);
  if (options.ulimits?.length) attrs["ulimit"] = parseUlimits(options.ulimits);
  for (const entry of options.resources ?? []) Object.assign(attrs, parseResource(entry));
  return attrs;
}

function networkMode(network: string): string | undefined {
  if (network === "" || network === "default") return undefined;
  if (network === "host" || network === "none") return network;
  throw new InvalidArgumentError(
    `network mode "${network}" not supported by buildkit - you can define a custom network for your builder using the network driver-opt in slipway create`,
  );
}

/** Values of build args; without one the environment's, and none when it is not set there either. */
export function resolveBuildArgs(
  args: BuildOptions["buildArgs"],
  env: Readonly<Record<string, string | undefined>>,
): Map<string, string> {
  const result = new Map<string, string>();
  for (const [name, given] of Object.entries(args ?? {})) {
    if (name === "") throw new InvalidArgumentError(`invalid key-value pair "=${given ?? ""}": empty key`);
    const value = given ?? utf8Variable(env, name);
    if (value !== undefined) result.set(name, value);
  }
  return result;
}

/** A variable's value, which goes to BuildKit as text. */
function utf8Variable(env: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  const value = variableOf(env, name);
  if (value === undefined || variableBytes(env, name)?.equals(Buffer.from(value))) return value;
  throw new InvalidArgumentError(
    `the environment variable ${name} of the build argument is not UTF-8, and build arguments are text; a secret may be bytes`,
  );
}

function parseEntitlements(allow: readonly string[]): { entitlements: string[]; allowLocalDelete: boolean } {
  let allowLocalDelete = false;
  const entitlements: string[] = [];
  for (const text of allow) {
    const [name, value] = splitPair(text);
    if (text === "") continue;
    if (name === "buildx.local.delete") {
      if (value !== undefined) throw new InvalidArgumentError(`${name} does not accept a value`);
      allowLocalDelete = true;
    } else if (
      name === "device" ||
      ((name === "network.host" || name === "security.insecure") && value === undefined)
    ) {
      entitlements.push(text);
    } else {
      throw new InvalidArgumentError(
        `unknown entitlement ${text}, expecting network.host, security.insecure, device[=name] or buildx.local.delete`,
      );
    }
  }
  return { entitlements, allowLocalDelete };
}

/** `host=ip[,ip…]` or `host:ip[,ip…]`; addresses may stand in brackets. */
function parseHost(text: string): string[] {
  const invalid = () => new InvalidArgumentError(`invalid host ${text}, expecting host:ip`);
  const at = text.includes("=") ? text.indexOf("=") : text.indexOf(":");
  const host = text.slice(0, Math.max(at, 0));
  const addresses = text.slice(at + 1);
  if (host === "" || addresses === "") throw invalid();
  // Only the node knows its address; see planForNode.
  if (addresses === "host-gateway") return [`${host}=${addresses}`];
  return addresses.split(",").map((address) => {
    const bare = /^\[.+\]$/.test(address) ? address.slice(1, -1) : address;
    if (isIP(bare) === 0) throw invalid();
    return `${host}=${bare}`;
  });
}

const ulimitNames: readonly string[] =
  "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split(
    " ",
  );

/** The last limit of a name counts; sorted by name, which is part of the cache key (docker/cli opts/ulimit.go). */
function parseUlimits(texts: readonly string[]): string {
  const limits = new Map(texts.map(parseUlimit));
  return [...limits.keys()]
    .sort()
    .map((name) => `${name}=${limits.get(name)}`)
    .join(",");
}

/**
 * `name=soft[:hard]` as the frontend takes it: always with both (docker/go-units ulimit.go).
 *
 * @throws InvalidArgumentError in the words of docker's flag.
 */
export function parseUlimit(text: string): [name: string, limits: string] {
  const [name, value] = splitPair(text);
  if (value === undefined) throw new InvalidArgumentError(`invalid ulimit argument: ${text}`);
  if (!ulimitNames.includes(name)) throw new InvalidArgumentError(`invalid ulimit type: ${name}`);
  const limits = value.split(":");
  if (limits.length > 2)
    throw new InvalidArgumentError(
      `too many limit value arguments - ${value}, can only have up to two, \`soft[:hard]\``,
    );
  for (const limit of limits)
    if (!/^[-+]?\d+$/.test(limit))
      throw new InvalidArgumentError(`strconv.ParseInt: parsing ${JSON.stringify(limit)}: invalid syntax`);
  const [soft = "", hard = soft] = limits;
  if (Number(hard) !== -1 && (Number(soft) > Number(hard) || Number(soft) === -1))
    throw new InvalidArgumentError(
      `ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`,
    );
  return [name, `${soft}:${hard}`];
}

const resourceAttrs: Readonly<Record<string, { attr: string; kind: "bytes" | "integer" | "text" }>> = {
  memory: { attr: "memory", kind: "bytes" },
  "memory-swap": { attr: "memswap", kind: "bytes" },
  "cpu-shares": { attr: "cpushares", kind: "integer" },
  "cpu-period": { attr: "cpuperiod", kind: "integer" },
  "cpu-quota": { attr: "cpuquota", kind: "integer" },
  "cpuset-cpus": { attr: "cpusetcpus", kind: "text" },
  "cpuset-mems": { attr: "cpusetmems", kind: "text" },
};

function parseResource(text: string): FrontendAttrs {
  const [key, given] = splitPair(text);
  const name = key.trim();
  const value = given?.trim();
  if (value === undefined)
    throw new InvalidArgumentError(`invalid resource ${JSON.stringify(text)}, expected key=value`);
  const resource = Object.hasOwn(resourceAttrs, name) ? resourceAttrs[name] : undefined;
  if (!resource) throw new InvalidArgumentError(`unknown resource ${JSON.stringify(name)}`);
  if (resource.kind === "text") return value === "" ? {} : { [resource.attr]: value };
  const number = resource.kind === "bytes" ? resourceBytes(name, value) : Number(value);
  if (!Number.isSafeInteger(number))
    throw new InvalidArgumentError(`invalid value ${JSON.stringify(value)} for resource ${name}`);
  // Zero means no limit and is not sent, so that daemons without the feature go on working.
  return number === 0 ? {} : { [resource.attr]: String(number) };
}

function resourceBytes(name: string, value: string): number {
  if (name === "memory-swap" && value === "-1") return -1;
  try {
    return parseSize(value);
  } catch (error) {
    throw new InvalidArgumentError(
      `invalid value ${JSON.stringify(value)} for resource ${name}: ${messageOf(error)}`,
    );
  }
}
