import path from "node:path";
import {
  type FetchedContext,
  type OutputType,
  type SecretInput,
  type TargetOptions,
  formatCsv,
  gitAuthSecrets,
  gitHost,
  isGitSshUrl,
  isRemoteUrl,
} from "../build/index.js";
import { type Environment, parseSize, variableOf } from "../config/index.js";
import { withoutUndefined } from "../core/index.js";
import { BakeError } from "./bake-error.js";
import type { SecretEntry, TypedEntry } from "./entries.js";
import { policyText } from "./policy-entry.js";
import type { TargetFields } from "./target.js";

/** The directory of a target's relative paths, and the environment of its secrets. */
export interface TargetPlace {
  cwd: string;
  env: Environment;
}

/** A target's build, as `build()` takes it. Throws a BakeError for what no build can be. */
export function toBuildOptions(target: TargetFields, place: TargetPlace): TargetOptions {
  const context = contextOf(target, place);
  const inline = target["dockerfile-inline"];
  const options: TargetOptions = {
    context,
    ...(inline === undefined
      ? { file: dockerfilePath(target.dockerfile || "Dockerfile", context, place) }
      : { dockerfile: inline }),
    tags: target.tags ?? [],
    buildArgs: texts(target.args),
    labels: texts(target.labels),
    buildContexts: contextsOf(target, place),
    secrets: secretsOf(target, place),
    ssh: agentsOf(target),
    cacheFrom: (target["cache-from"] ?? []).map((entry) => cacheOf(entry, place)),
    cacheTo: (target["cache-to"] ?? []).map((entry) => cacheOf(entry, place)),
    outputs: (target.output ?? []).map((entry) => outputOf(entry, place)),
    attests: (target.attest ?? []).map(attestText),
  };
  return Object.assign(options, listsOf(target), valuesOf(target));
}

/** Options that are lists, of those that are set. */
function listsOf(target: TargetFields): Partial<TargetOptions> {
  return withoutUndefined({
    platforms: target.platforms,
    annotations: target.annotations,
    noCacheFilter: target["no-cache-filter"],
    ulimits: target.ulimits,
    allow: target.entitlements,
    policies: target.policy?.map(policyText),
    resources:
      target.resources && Object.entries(target.resources).map(([name, value]) => `${name}=${value}`),
    addHosts:
      target["extra-hosts"] &&
      Object.entries(texts(target["extra-hosts"]))
        .map(([host, ip]) => `${host}=${ip}`)
        .sort(),
  });
}

/** Options of one value, of those that are set. */
function valuesOf(target: TargetFields): Partial<TargetOptions> {
  const size = target["shm-size"];
  return withoutUndefined({
    target: target.target,
    pull: target.pull,
    noCache: target["no-cache"],
    network: target.network,
    call: target.call,
    shmSize: size ? shmBytes(size) : undefined,
  });
}

function shmBytes(text: string): number {
  try {
    return parseSize(text);
  } catch (cause) {
    throw new BakeError(`invalid value ${text} for membytes key shm-size`, { cause });
  }
}

/** A path from the place's directory. In the working directory paths stay as short as they are given. */
function pathIn({ cwd }: TargetPlace, given: string): string {
  return cwd === process.cwd() || path.isAbsolute(given) ? given : path.join(cwd, given);
}

/** The main context: here, at an address, or in what the definition was fetched from. */
function contextOf({ context = ".", remote }: TargetFields, place: TargetPlace): string | FetchedContext {
  if (remote?.context === undefined) return contextPath(context, place);
  return { type: "fetched", source: remote.source, path: remote.context };
}

function contextPath(context: string, place: TargetPlace): string {
  return isRemoteUrl(context) ? context : pathIn(place, context.replace(/^cwd:\/\//, "") || ".");
}

function dockerfilePath(given: string, context: string | FetchedContext, place: TargetPlace): string {
  const local = given.replace(/^cwd:\/\//, "");
  if (local !== given) return path.resolve(place.cwd, local);
  // Nothing leads out of what was fetched.
  if (typeof context !== "string") return isRemoteUrl(given) ? given : path.posix.join("/", given).slice(1);
  if (isRemoteUrl(given) || isRemoteUrl(context) || path.isAbsolute(given)) return given;
  return path.join(context, given);
}

/** Contexts by name; those of other targets stay links. */
function contextsOf(
  { contexts = new Map(), remote }: TargetFields,
  place: TargetPlace,
): Record<string, string | FetchedContext> {
  return Object.fromEntries(
    [...contexts].map(([name, given]): [string, string | FetchedContext] => {
      const inside = remote?.contexts.get(name);
      if (remote && inside !== undefined)
        return [
          name,
          inside === "." && remote.source.url !== ""
            ? remote.source.url
            : { type: "fetched", source: remote.source, path: inside },
        ];
      if (/^(?:target|docker-image|engine):/.test(given) || isRemoteUrl(given)) return [name, given];
      const layout = /^(oci-layout:\/\/|oci-layout:)(.*)$/s.exec(given);
      return [name, layout ? `${layout[1]}${pathIn(place, layout[2] as string)}` : contextPath(given, place)];
    }),
  );
}

/** Secrets by id; git may show to the host of the definition, for a context there too, what the environment says. */
function secretsOf({ secret = [], context = ".", remote }: TargetFields, place: TargetPlace) {
  const secrets: Record<string, SecretInput> = {};
  for (const one of secret) {
    if (one.id === "") throw new BakeError("secret missing ID");
    secrets[one.id] = sourceOf(one, place);
  }
  const url = remote?.source.url ?? "";
  const host = gitHost(url)?.toLowerCase();
  const isSame = host !== undefined && isRemoteUrl(context) && gitHost(context)?.toLowerCase() === host;
  return isSame ? { ...secrets, ...gitAuthSecrets(url, place.env) } : secrets;
}

/** ssh agents; one goes without saying where git needs it, and must be allowed all the same. */
function agentsOf({ ssh = [], context = ".", remote }: TargetFields): string[] {
  const agents = ssh.map(({ id, paths }) => (paths.length === 0 ? id : `${id}=${paths.join(",")}`));
  const isNeeded =
    (ssh.length === 0 && isGitSshUrl(context)) ||
    (isGitSshUrl(remote?.source.url ?? "") && !ssh.some(({ id }) => id === "default"));
  return isNeeded ? [...agents, "default"] : agents;
}

/**
 * A secret with neither file nor variable comes from the variable of its name if that is set, else from the file of its
 * name.
 */
function sourceOf({ id, src, env }: SecretEntry, place: TargetPlace) {
  if (env !== "") return { env };
  if (src === "" && variableOf(place.env, id) !== undefined) return { env: id };
  return { file: pathIn(place, src === "" ? id : src) };
}

function cacheOf({ type, attrs }: TypedEntry, place: TargetPlace) {
  if (type !== "local") return { type, attrs: Object.fromEntries(attrs) };
  const paths = [...attrs].map(([key, value]) => [
    key,
    key === "src" || key === "dest" ? pathIn(place, value) : value,
  ]);
  return { type, attrs: Object.fromEntries(paths) as Record<string, string> };
}

function outputOf({ type, attrs, dest = "" }: TypedEntry, place: TargetPlace) {
  const to = dest === "" || dest === "-" ? dest : pathIn(place, dest);
  // What is none is refused by the build: buildx prints it.
  return { type: type as OutputType, attrs: Object.fromEntries(attrs), ...(to !== "" && { dest: to }) };
}

function attestText({ type, attrs, disabled }: TypedEntry): string {
  return formatCsv([
    `type=${type}`,
    ...[...attrs].map(([key, value]) => `${key}=${value}`),
    ...(disabled ? ["disabled=true"] : []),
  ]);
}

function texts(map: ReadonlyMap<string, string | null> = new Map()): Record<string, string> {
  return Object.fromEntries([...map].filter((entry): entry is [string, string] => entry[1] !== null));
}
