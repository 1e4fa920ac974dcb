import { fromBinary } from "@bufbuild/protobuf";
import type { DaemonClient } from "../../driver/index.js";
import {
  BuildkitError,
  ContentError,
  grpcCodeName,
  readContent,
  rpc,
  toStatusUpdate,
} from "../../buildkit/index.js";
import { type JsonObject, isJsonObject } from "../../config/index.js";
import { type SourceInfo, type SourceRange, isSlipwayError, parseJson } from "../../core/index.js";
import type { BuildRecord } from "./build-record.js";

/** Everything a builder remembers of why a build failed. */
export interface BuildFailure {
  /** gRPC status code. */
  code: number;
  /** The code as Go writes it: `Unknown`, `Canceled`. */
  codeName: string;
  message: string;
  /** Places in Dockerfiles, in the order in which BuildKit prints them. */
  sources: { source: SourceInfo; ranges: SourceRange[] }[];
  /** The step that failed, with the end of its output. */
  step?: { digest: string; name: string; logs: string[] };
  /** Stack traces of the daemon as text; empty when it sent none. */
  stack: string;
}

/** Lines of output kept of the failed step. */
const keptLines = 16;

/** Undefined for a build that did not fail. */
export async function readFailure(
  client: DaemonClient,
  { id, error, externalError }: BuildRecord,
  signal?: AbortSignal,
): Promise<BuildFailure | undefined> {
  if (!error && !externalError) return undefined;
  const { code = 0, message = "" } = error ?? {};
  const plain = { code, codeName: grpcCodeName(code), message, sources: [], stack: "" };
  const status = externalError && (await readStatus(client, externalError.digest, signal));
  if (!status) return plain;
  const full = new BuildkitError("BUILDKIT_STATUS", status);
  const sources: BuildFailure["sources"] = [];
  for (const detail of full.details)
    if (detail.type === "source" && detail.source)
      sources.push({ source: detail.source, ranges: detail.ranges });
  const digest = full.detail("vertex")?.digest;
  const step = digest === undefined ? undefined : { digest, ...(await readStep(client, id, digest, signal)) };
  return { ...plain, sources, stack: stackText(full), ...(step && { step }) };
}

/** The error in full; undefined where the builder no longer has it, or it is none. What the record says of it can be told all the same. */
async function readStatus(client: DaemonClient, digest: string, signal: AbortSignal | undefined) {
  let blob: Buffer;
  try {
    blob = await readContent(client, digest, { signal });
  } catch (error) {
    if (error instanceof ContentError || isSlipwayError(error, "BUILDKIT_STATUS")) return undefined;
    throw error;
  }
  try {
    return fromBinary(rpc.StatusSchema, blob);
  } catch {
    return undefined;
  }
}

/** Name and last lines of a step, from the stored progress; lines of both streams in the order in which they began. */
async function readStep(client: DaemonClient, id: string, digest: string, signal: AbortSignal | undefined) {
  let name = "";
  const lines: Buffer[] = [];
  /** The unfinished line of each stream. */
  const open = new Map<number, number>();
  for await (const response of client.control.status({ Ref: id }, { ...(signal && { signal }) })) {
    const { vertexes, logs } = toStatusUpdate(response);
    name = vertexes.find((vertex) => vertex.digest === digest)?.name ?? name;
    for (const { vertex, stream, data } of logs) {
      if (vertex !== digest) continue;
      for (const [index, part] of splitLines(data).entries()) {
        const at = open.get(stream);
        if (index === 0 && at !== undefined) lines[at] = Buffer.concat([lines[at] ?? Buffer.of(), part]);
        else if (part.length > 0) open.set(stream, lines.push(part) - 1);
        else open.delete(stream);
      }
      if (data.at(-1) === newline) open.delete(stream);
    }
  }
  return { name, logs: lines.slice(-keptLines).map((line) => line.toString()) };
}

const newline = 0x0a;

function splitLines(data: Uint8Array): Buffer[] {
  const parts: Buffer[] = [];
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  let from = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, from)) {
    parts.push(bytes.subarray(from, at));
    from = at + 1;
  }
  parts.push(bytes.subarray(from));
  return parts;
}

/** BuildKit's traces, outermost first, in the form in which its own tools print them (util/stack Formatter). */
function stackText(error: BuildkitError): string {
  const traces: string[] = [];
  for (const detail of error.details) {
    if (detail.type !== "other" || !detail.typeUrl.endsWith("stack.Stack+json")) continue;
    const stack = parse(detail.value);
    if (!Array.isArray(stack["frames"])) continue;
    const frames = stack["frames"].filter(isJsonObject).map(frameText);
    const command = Array.isArray(stack["cmdline"]) ? stack["cmdline"].map(shown) : [];
    traces.push(
      `${shown(stack["pid"] ?? 0)} ${shown(stack["version"])} ${command.join(" ")}\n${frames.join("")}`,
    );
  }
  return traces.join("\n");
}

function frameText({ Name, File, Line }: JsonObject): string {
  return `${shown(Name)}\n\t${shown(File)}:${shown(Line ?? 0)}\n`;
}

/** A text or a number, as it is printed. */
function shown(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? `${value}` : "";
}

function parse(value: Uint8Array): JsonObject {
  try {
    const stack = parseJson(Buffer.from(value).toString());
    return isJsonObject(stack) ? stack : {};
  } catch {
    return {};
  }
}
