import { type Platform, localPlatform, normalizePlatform, parsePlatform } from "../../builder/index.js";
import { type JsonObject, isJsonObject } from "../../config/index.js";
import { type Material, material } from "./materials.js";
import { replayErrors } from "./replay-error.js";

/** A secret or an ssh agent that a build used. */
export interface NamedInput {
  id: string;
  /** The build goes without it. */
  optional: boolean;
}

/** SLSA provenance as BuildKit writes it, both versions in one form (BK solver/llbsolver/provenance/types). */
export interface Provenance {
  version: "v1" | "v0.2";
  /** Everything a replay needs is there. */
  mode: "min" | "max";
  frontend: string;
  /** Attributes of the frontend. */
  attrs: ReadonlyMap<string, string>;
  /** Where the context came from, and the Dockerfile in it. */
  configSource: { uri: string; path: string; digests: ReadonlyMap<string, string> };
  secrets: readonly NamedInput[];
  ssh: readonly NamedInput[];
  /** Names of directories that were sent. */
  locals: readonly string[];
  materials: readonly Material[];
  /** Identifiers of the sources that the steps begin with. */
  sources: readonly string[];
  builderPlatform: Platform;
  targetPlatform?: Platform;
}

/** SLSA's predicate types that can be read. */
export const predicateTypes = {
  v1: "https://slsa.dev/provenance/v1",
  v02: "https://slsa.dev/provenance/v0.2",
} as const;

/** Whether a statement's predicate is provenance. */
export function isProvenanceType(predicateType: string): boolean {
  return predicateType === predicateTypes.v1 || predicateType === predicateTypes.v02;
}

/** The most materials and steps that are taken in; the largest builds have some thousand. */
const most = 100_000;

/** @throws ReplayError `REPLAY_PREDICATE` for another predicate, or one that is not as SLSA has it */
export function parseProvenance(predicate: unknown, predicateType: string): Provenance {
  if (!isProvenanceType(predicateType)) throw replayErrors.predicate(predicateType);
  if (!isJsonObject(predicate)) throw replayErrors.subject("the SLSA provenance is no JSON object");
  return predicateType === predicateTypes.v1 ? fromV1(predicate) : fromV02(predicate);
}

function fromV1(predicate: JsonObject): Provenance {
  const definition = child(predicate, "buildDefinition");
  const external = child(definition, "externalParameters");
  const internal = child(definition, "internalParameters");
  const source = child(external, "configSource");
  return common({
    version: "v1",
    request: child(external, "request"),
    source: { uri: source["uri"], path: source["path"], digest: source["digest"] },
    buildConfig: internal["buildConfig"],
    materials: definition["resolvedDependencies"],
    platform: internal["builderPlatform"],
    target: internal["targetPlatform"],
  });
}

function fromV02(predicate: JsonObject): Provenance {
  const invocation = child(predicate, "invocation");
  const source = child(invocation, "configSource");
  return common({
    version: "v0.2",
    request: child(invocation, "parameters"),
    source: { uri: source["uri"], path: source["entryPoint"], digest: source["digest"] },
    buildConfig: predicate["buildConfig"],
    materials: predicate["materials"],
    platform: child(invocation, "environment")["platform"],
    target: undefined,
  });
}

interface Parts {
  version: Provenance["version"];
  request: JsonObject;
  source: Record<"uri" | "path" | "digest", unknown>;
  buildConfig: unknown;
  materials: unknown;
  platform: unknown;
  target: unknown;
}

function common({ version, request, source, buildConfig, ...parts }: Parts): Provenance {
  const steps = isJsonObject(buildConfig) ? list(buildConfig["llbDefinition"]) : [];
  const target = platformOf(parts.target) ?? targetOfSteps(steps);
  return {
    version,
    // Only mode=max has the steps.
    mode: steps.length > 0 ? "max" : "min",
    frontend: text(request["frontend"]) || "dockerfile.v0",
    attrs: new Map([...texts(request["args"])].filter(([key]) => !key.startsWith("attest:"))),
    configSource: { uri: text(source.uri), path: text(source.path), digests: texts(source.digest) },
    secrets: inputs(request["secrets"]),
    ssh: inputs(request["ssh"]),
    locals: list(request["locals"])
      .map((entry) => text(entry["name"]))
      .filter(Boolean),
    materials: list(parts.materials).map((entry) => material(text(entry["uri"]), texts(entry["digest"]))),
    sources: steps
      .map((step) => text(child(opOf(step), "source")["identifier"]))
      .filter((identifier) => identifier !== ""),
    builderPlatform: platformOf(parts.platform) ?? normalizePlatform(localPlatform()),
    ...(target && { targetPlatform: target }),
  };
}

/**
 * What the steps were told that they build for, where the provenance does not say it itself; undefined when they do not agree (buildx
 * v0.38 replay/predicate.go).
 */
function targetOfSteps(steps: readonly JsonObject[]): Platform | undefined {
  const found = new Set<string>();
  for (const step of steps) {
    const env = child(child(opOf(step), "exec"), "meta")["env"];
    for (const entry of Array.isArray(env) ? env : [])
      if (typeof entry === "string" && entry.startsWith("TARGETPLATFORM=")) found.add(entry.slice(15));
  }
  const [only, ...others] = found;
  return others.length === 0 ? platformOf(only) : undefined;
}

/** The kind of a step's op and what is of that kind; in the JSON of Go's protobuf it stands inside of the op. */
function opOf(step: JsonObject): JsonObject {
  const op = child(step, "op");
  return isJsonObject(op["Op"]) ? op["Op"] : op;
}

function inputs(value: unknown): NamedInput[] {
  return list(value)
    .map((entry) => ({ id: text(entry["id"]), optional: entry["optional"] === true }))
    .filter(({ id }) => id !== "");
}

function list(value: unknown): JsonObject[] {
  if (!Array.isArray(value)) return [];
  if (value.length > most) throw replayErrors.subject(`the SLSA provenance lists more than ${most} entries`);
  return value.filter((entry: unknown) => isJsonObject(entry));
}

function texts(value: unknown): Map<string, string> {
  const entries = isJsonObject(value) ? Object.entries(value) : [];
  return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

function platformOf(value: unknown): Platform | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  try {
    return normalizePlatform(parsePlatform(value));
  } catch {
    return undefined;
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function child(parent: JsonObject, key: string): JsonObject {
  const value = parent[key];
  return isJsonObject(value) ? value : {};
}
