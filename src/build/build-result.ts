import { parseJson, SlipwayError, messageOf } from "../core/index.js";
import { isJsonObject } from "../config/index.js";
import { type BuildExplanation, type NetworkReport, type VertexWarning, blankValue } from "../core/index.js";
import type { CallRequest } from "./parse/call.js";
import type { ImagePlatform } from "./describe-image.js";
import type { JudgedSource } from "./policy/source-policy.js";

/** The result of a build. */
export interface BuildResult {
  /** `<builder>/<node>/<id>`, under which the builder's history knows the build. */
  ref: string;
  /** What the engine calls the image: digest of its config, or of its manifest where the engine keeps images in containerd. */
  imageId?: string;
  /** Digest of the manifest or index. */
  digest?: string;
  /** Names the image was given. */
  names: string[];
  /** Platforms of the image with their layers; empty when no image came out. */
  platforms: ImagePlatform[];
  warnings: VertexWarning[];
  /** What the build asked of the network, when that was watched (`proxyNetwork`). */
  network?: NetworkReport;
  /** What the policies said of the sources, of a build with `policy`: each once, in the order of the decisions. */
  judged?: JudgedSource[];
  /** Why steps ran that an earlier build had, of a build with `explain`. */
  explained?: BuildExplanation;
  /** What `--metadata-file` holds, as data. */
  metadata: Record<string, unknown>;
  /** Message of the frontend for people, if any. */
  inlineMessage?: string;
  /** The frontend's answer, when the build was a call. */
  call?: CallResult;
}

/** Answer to a frontend request. */
export interface CallResult {
  request: CallRequest;
  /** Exit status the frontend asks for, 0 when it has no complaint. */
  status: number;
  /** `result.json`, parsed. */
  json: unknown;
  /** `result.json` as the frontend wrote it. */
  jsonText: string;
  /** `result.txt`. */
  text: string;
  version: string;
}

/**
 * The content of a metadata file: every response value, those that are base64 of a JSON object embedded as data
 * (buildx v0.36 commands/build.go decodeExporterResponse); with `more`, by name.
 */
export function metadataOf(
  response: ReadonlyMap<string, string>,
  more: Iterable<readonly [string, unknown]> = [],
): Record<string, unknown> {
  const entries: (readonly [string, unknown])[] = [...more];
  for (const [key, value] of response)
    entries.push([key, (key === "result.json" ? embeddedJson(value) : embedded(value)) ?? value]);
  // Build arguments and contexts are in the provenance as they were given.
  return blankValue(Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))));
}

function embedded(value: string): unknown {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return undefined;
  return embeddedJson(Buffer.from(value, "base64").toString("utf8"));
}

function embeddedJson(text: string): unknown {
  let parsed: unknown;
  try {
    parsed = parseJson(text);
  } catch {
    return undefined; // an ordinary value that only looks like base64
  }
  const isObject = isJsonObject(parsed) && Object.keys(parsed).length > 0;
  const isList = Array.isArray(parsed) && parsed.length > 0 && parsed.every((entry) => isJsonObject(entry));
  return isObject || isList ? parsed : undefined;
}

/** The image id of a build: the config's digest, unless the engine goes by the manifest's. */
export function imageIdOf(
  response: ReadonlyMap<string, string>,
  preferManifest: boolean,
): string | undefined {
  const config = response.get("containerimage.config.digest");
  const manifest = response.get("containerimage.digest");
  return preferManifest ? (manifest ?? config) : (config ?? manifest);
}

/** The frontend's answer, from the metadata of its result (BK frontend/subrequests). */
export function callResult(request: CallRequest, metadata: ReadonlyMap<string, Uint8Array>): CallResult {
  const text = (key: string) => Buffer.from(metadata.get(key) ?? new Uint8Array()).toString("utf8");
  const json = text("result.json");
  return {
    request,
    status: statusOf(text("result.statuscode")),
    json: json === "" ? undefined : answerJson(json),
    jsonText: json,
    text: text("result.txt"),
    version: text("version"),
  };
}

/** An exit status; what is none is a complaint as well. */
function statusOf(text: string): number {
  if (text === "") return 0;
  return /^\d{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : 1;
}

function answerJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    throw new SlipwayError(
      "CALL_ANSWER",
      `the frontend answered with JSON that cannot be read: ${messageOf(cause)}`,
      { cause },
    );
  }
}
