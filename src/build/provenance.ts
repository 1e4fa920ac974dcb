import { type BuildkitClient, BuildkitError, type control, readContent } from "../buildkit/index.js";
import { type JsonObject, isJsonObject } from "../config/index.js";
import { type EventSink, withVertex, parseJson, withoutUndefined } from "../core/index.js";
import { unimplementedCode } from "./build-error.js";

/** How much of a build's provenance goes into its metadata: `min` leaves out the steps and the times. */
export type MetadataProvenance = "min" | "max";

/** What {@link readProvenance} takes. */
export interface ProvenanceQuery {
  client: BuildkitClient;
  /** The build's id. */
  ref: string;
  mode: MetadataProvenance;
  sink?: EventSink | undefined;
  signal?: AbortSignal | undefined;
}

/** Names and values for the metadata: `buildx.build.provenance`, or one a platform behind a slash. */
export type ProvenanceEntries = Map<string, JsonObject>;

/** No provenance is larger than this: steps of a build at their longest, in bytes. */
const largestProvenance = 32 << 20;

/**
 * Reads what the builder has recorded about how a build came about, in the form of SLSA v0.2 whatever the form of the
 * record is (buildx v0.36 build/provenance.go). Empty when the builder recorded none.
 */
export async function readProvenance({
  client,
  ref,
  mode,
  sink,
  signal,
}: ProvenanceQuery): Promise<ProvenanceEntries> {
  return withVertex(sink, "resolving provenance for metadata file", async () => {
    const entries: ProvenanceEntries = new Map();
    const events = client.control.listenBuildHistory(
      { Ref: ref, EarlyExit: true },
      { ...(signal && { signal }) },
    );
    for await (const { record } of unlessUnimplemented(events))
      for (const [name, result] of resultsOf(record)) {
        const found = result.Attestations.find(isProvenance);
        if (!found) continue;
        const blob = await readContent(client, found.digest, { limit: largestProvenance, signal });
        const predicate = predicateOf(blob);
        if (!isJsonObject(predicate)) {
          sink?.({
            type: "message",
            level: "warning",
            text: `the builder's provenance ${found.digest} is no JSON object that can be read`,
          });
          continue;
        }
        const isOld = found.annotations[predicateType]?.endsWith("/v0.2") === true;
        entries.set(name, reduce(isOld ? predicate : toSlsa02(predicate), mode));
      }
    return entries;
  });
}

/** Daemons before 0.11, as in engines before 24.0, keep no history. */
async function* unlessUnimplemented<T>(events: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  try {
    yield* events;
  } catch (error) {
    if (!(error instanceof BuildkitError) || error.grpcCode !== unimplementedCode) throw error;
  }
}

const predicateType = "in-toto.io/predicate-type";

function resultsOf(record: control.BuildHistoryRecord | undefined): [string, control.BuildResultInfo][] {
  const platforms = Object.entries(record?.Results ?? {});
  if (platforms.length > 0)
    return platforms.map(([platform, result]) => [`buildx.build.provenance/${platform}`, result]);
  return record?.Result ? [["buildx.build.provenance", record.Result]] : [];
}

function isProvenance({ mediaType, annotations }: control.Descriptor): boolean {
  return (
    mediaType === "application/vnd.in-toto+json" &&
    annotations[predicateType]?.startsWith("https://slsa.dev/provenance/") === true
  );
}

function predicateOf(blob: Buffer): unknown {
  try {
    return parseJson(blob.toString("utf8"));
  } catch {
    return undefined;
  }
}

function reduce(predicate: JsonObject, mode: MetadataProvenance): JsonObject {
  if (mode === "max") return predicate;
  const { buildConfig: _steps, metadata: _times, ...rest } = predicate;
  return rest;
}

/** SLSA v1 as v0.2, in BuildKit's words (BK solver/llbsolver/provenance/types ConvertToSLSA02). */
function toSlsa02(predicate: JsonObject): JsonObject {
  const definition = child(predicate, "buildDefinition");
  const run = child(predicate, "runDetails");
  const external = child(definition, "externalParameters");
  const source = child(external, "configSource");
  // The older form has no place for what the result is built for.
  const {
    buildConfig,
    builderPlatform,
    targetPlatform: _,
    ...environment
  } = child(definition, "internalParameters");
  const materials = Array.isArray(definition["resolvedDependencies"])
    ? definition["resolvedDependencies"].filter((entry: unknown) => isJsonObject(entry))
    : [];
  return {
    builder: { id: child(run, "builder")["id"] ?? "" },
    buildType: "https://mobyproject.org/buildkit@v1",
    ...(materials.length > 0 && {
      materials: materials.map((entry) => withoutUndefined({ uri: entry["uri"], digest: entry["digest"] })),
    }),
    invocation: {
      configSource: withoutUndefined({
        uri: source["uri"],
        digest: source["digest"],
        entryPoint: source["path"],
      }),
      parameters: child(external, "request"),
      environment: { platform: builderPlatform ?? "", ...environment },
    },
    ...withoutUndefined({
      buildConfig,
      metadata: isJsonObject(run["metadata"]) ? toMetadata02(run["metadata"]) : undefined,
    }),
  };
}

function toMetadata02(metadata: JsonObject): JsonObject {
  const completeness = child(metadata, "buildkit_completeness");
  return withoutUndefined({
    buildInvocationID: metadata["invocationId"] ?? metadata["invocationID"],
    buildStartedOn: metadata["startedOn"],
    buildFinishedOn: metadata["finishedOn"],
    completeness: {
      parameters: completeness["request"] ?? false,
      environment: true,
      materials: completeness["resolvedDependencies"] ?? false,
    },
    reproducible: metadata["buildkit_reproducible"] ?? false,
    "https://mobyproject.org/buildkit@v1#metadata": child(metadata, "buildkit_metadata"),
    "https://mobyproject.org/buildkit@v1#hermetic": metadata["buildkit_hermetic"],
  });
}

function child(parent: JsonObject, key: string): JsonObject {
  const value = parent[key];
  return isJsonObject(value) ? value : {};
}
