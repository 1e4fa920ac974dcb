import { parseJson } from "../../core/index.js";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { LocalBuildGroup, LocalBuildState } from "../../builder/index.js";
import type { control } from "../../buildkit/index.js";
import { isJsonObject } from "../../config/index.js";
import type { Descriptor } from "../../registry/index.js";
import type { BuildRecord } from "./build-record.js";

/** What a bundle tells of a record besides the record. */
export interface BundleContext {
  /** The builder's own platform. */
  defaultPlatform: string;
  localState?: LocalBuildState;
  group?: LocalBuildGroup;
}

/** A record as bundles hold it: Go's JSON of BuildHistoryRecord, with the local state. `trace` replaces the stored one. */
export function bundleRecordJson(
  { wire }: BuildRecord,
  { defaultPlatform, localState, group }: BundleContext,
  trace: Descriptor | undefined,
): object {
  const record = present({
    Ref: wire.Ref,
    Frontend: wire.Frontend,
    FrontendAttrs: sorted(withoutCacheSecrets(wire.FrontendAttrs)),
    Exporters: wire.Exporters.map(({ Type, Attrs }) => present({ Type, Attrs: sorted(Attrs) })),
    error: wire.error && statusJson(wire.error),
    CreatedAt: wire.CreatedAt && timeJson(wire.CreatedAt),
    CompletedAt: wire.CompletedAt && timeJson(wire.CompletedAt),
    logs: wire.logs && blobJson(wire.logs),
    ExporterResponse: sorted(wire.ExporterResponse),
    Result: wire.Result && resultJson(wire.Result),
    Results: sorted(
      Object.fromEntries(
        Object.entries(wire.Results).map(([platform, info]) => [platform, resultJson(info)]),
      ),
    ),
    Generation: wire.Generation,
    trace: wire.trace && {
      ...blobJson(wire.trace),
      ...(trace && { digest: trace.digest, size: trace.size }),
    },
    pinned: wire.pinned,
    numCachedSteps: wire.numCachedSteps,
    numTotalSteps: wire.numTotalSteps,
    numCompletedSteps: wire.numCompletedSteps,
    externalError: wire.externalError && blobJson(wire.externalError),
    numWarnings: wire.numWarnings,
  });
  const local = present({
    localState: localState && {
      Target: localState.target,
      LocalPath: localState.localPath,
      DockerfilePath: localState.dockerfilePath,
      ...(localState.groupRef && { GroupRef: localState.groupRef }),
    },
    stateGroup: group && present({ Targets: group.targets, Refs: group.refs }),
  });
  return { ...record, DefaultPlatform: defaultPlatform, ...local };
}

function resultJson({ ResultDeprecated, Attestations, Results }: control.BuildResultInfo): object {
  return present({
    ResultDeprecated: ResultDeprecated && blobJson(ResultDeprecated),
    Attestations: Attestations.map(blobJson),
    Results: sorted(
      Object.fromEntries(Object.entries(Results).map(([index, blob]) => [index, blobJson(blob)])),
    ),
  });
}

function blobJson({ mediaType, digest, size, annotations }: control.Descriptor): object {
  return present({ media_type: mediaType, digest, size: Number(size), annotations: sorted(annotations) });
}

function timeJson({ seconds, nanos }: Timestamp): object {
  return present({ seconds: Number(seconds), nanos });
}

function statusJson({ code, message, details }: NonNullable<control.BuildHistoryRecord["error"]>): object {
  return present({
    code,
    message,
    details: details.map(({ typeUrl, value }) =>
      present({ type_url: typeUrl, value: Buffer.from(value).toString("base64") }),
    ),
  });
}

/** Cache options with what names a cache only; the others may be credentials. */
function withoutCacheSecrets(attrs: Readonly<Record<string, string>>): Record<string, string> {
  const imports = attrs["cache-imports"];
  return imports === undefined ? attrs : { ...attrs, "cache-imports": cleanImports(imports) };
}

function cleanImports(text: string): string {
  let imports: unknown;
  try {
    imports = parseJson(text);
  } catch {
    return "";
  }
  if (!Array.isArray(imports)) return "";
  return JSON.stringify(
    imports.filter(isJsonObject).map(({ Type, Attrs }) => ({
      Type,
      Attrs: Object.fromEntries(
        Object.entries(isJsonObject(Attrs) ? Attrs : {}).filter(([key]) => key === "scope" || key === "ref"),
      ),
    })),
  );
}

function sorted<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Without what is empty (Go's omitempty). */
function present(fields: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0;
  return !value;
}
