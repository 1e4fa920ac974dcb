import type {
  BuildEvent,
  ProgressGroup,
  SourceInfo,
  SourceRange,
  StatusUpdate,
  Vertex,
  VertexLog,
  VertexStatus,
  VertexWarning,
} from "../core/index.js";
import { AfterBuild, formatMessage } from "./after-build.js";
import { goTimestamp } from "./go-format.js";
import { type ProgressSink, type ProgressStream, progressSink } from "./options.js";
import { Output } from "./output.js";

/**
 * Progress as one JSON object a line for each status update, unfiltered, as `--progress=rawjson` shows it.
 * Messages follow after the end, as lines of their own; there is no block of warnings.
 */
export function rawjson(stream: ProgressStream): ProgressSink {
  const output = new Output(stream);
  const after = new AfterBuild();
  let ended = false;
  const end = () => {
    ended = true;
    after.print(output, { warnings: false });
    output.flush();
  };
  const take = (event: BuildEvent) => {
    if (event.type === "status") output.write(`${formatStatusJson(event)}\n`);
    else if (event.type === "end") end();
    else if (event.type === "message") {
      if (ended) output.write(formatMessage(event.level, event.text));
      else after.take(event);
    }
    output.flush();
  };
  return progressSink(take, {
    close() {
      end();
      return output.close();
    },
    ready: () => output.ready(),
  });
}

/** One update as BuildKit's client.SolveStatus is marshalled by Go (client/graph.go). */
export function formatStatusJson(update: StatusUpdate): string {
  const json = JSON.stringify({
    vertexes: some(update.vertexes.map(vertexJson)),
    statuses: some(update.statuses.map(statusJson)),
    logs: some(update.logs.map(logJson)),
    warnings: some(update.warnings.map(warningJson)),
  });
  // encoding/json escapes what HTML and JavaScript could trip over, and nobody's terminal shall obey C1 controls.
  return json.replace(
    /[<>&\u2028\u2029\u007f-\u009f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function vertexJson(vertex: Vertex) {
  return {
    digest: vertex.digest || undefined,
    inputs: some(vertex.inputs),
    name: vertex.name || undefined,
    started: time(vertex.started),
    completed: time(vertex.completed),
    cached: vertex.cached || undefined,
    error: vertex.error || undefined,
    progressGroup: vertex.progressGroup && groupJson(vertex.progressGroup),
  };
}

function groupJson({ id, name, weak }: ProgressGroup) {
  return { id: id || undefined, name: name || undefined, weak: weak || undefined };
}

function statusJson(status: VertexStatus) {
  return {
    id: status.id,
    vertex: status.vertex || undefined,
    name: status.name || undefined,
    total: status.total || undefined,
    current: status.current,
    timestamp: time(status.timestamp),
    started: time(status.started),
    completed: time(status.completed),
  };
}

function logJson(log: VertexLog) {
  return {
    vertex: log.vertex || undefined,
    stream: log.stream || undefined,
    data: base64(log.data),
    timestamp: time(log.timestamp),
  };
}

/** A warning as buildx writes it to raw progress and to metadata files (BK client/graph.go VertexWarning). */
export function warningJson(warning: VertexWarning) {
  return {
    vertex: warning.vertex || undefined,
    level: warning.level || undefined,
    short: warning.short ? base64(Buffer.from(warning.short)) : undefined,
    detail: some(warning.detail.map((line) => base64(Buffer.from(line)))),
    url: warning.url || undefined,
    sourceInfo: warning.source && sourceJson(warning.source),
    range: some(warning.ranges.map(rangeJson)),
  };
}

function sourceJson({ filename, data, language }: SourceInfo) {
  return {
    filename: filename || undefined,
    data: data.length > 0 ? base64(data) : undefined,
    language: language || undefined,
  };
}

function rangeJson({ start, end }: SourceRange) {
  const position = ({ line, character }: SourceRange["start"]) => ({
    line: line || undefined,
    character: character || undefined,
  });
  return { start: position(start), end: position(end) };
}

function some<T>(list: T[]): T[] | undefined {
  return list.length > 0 ? list : undefined;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

function time(date: Date | undefined): string | undefined {
  return date && goTimestamp(date);
}
