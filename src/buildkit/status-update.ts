import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { type SourceInfo, type SourceRange, type StatusUpdate, dateOf, ownBytes } from "../core/index.js";
import type {
  StatusResponse,
  Vertex,
  VertexStatus,
  VertexWarning,
} from "./gen/moby/buildkit/v1/control_pb.js";
import type { Range, SourceInfo as WireSourceInfo } from "./gen/pb/ops_pb.js";

/** A message of Control.Status in the terms of the progress model. Times lose what is below 1 ms. */
export function toStatusUpdate(response: StatusResponse): StatusUpdate {
  return {
    vertexes: response.vertexes.map(toVertex),
    statuses: response.statuses.map(toStatus),
    logs: response.logs.map(({ vertex, stream, msg, timestamp }) => ({
      vertex,
      stream: Number(stream),
      data: ownBytes(msg),
      timestamp: toDate(timestamp) ?? new Date(0),
    })),
    warnings: response.warnings.map(toWarning),
  };
}

function toVertex(vertex: Vertex): StatusUpdate["vertexes"][number] {
  const { digest, name, inputs, cached, error, progressGroup: group } = vertex;
  const started = toDate(vertex.started);
  const completed = toDate(vertex.completed);
  return {
    digest,
    name,
    inputs,
    cached,
    ...(started && { started }),
    ...(completed && { completed }),
    ...(error !== "" && { error }),
    ...(group && { progressGroup: { id: group.id, name: group.name, weak: group.weak } }),
  };
}

function toStatus(status: VertexStatus): StatusUpdate["statuses"][number] {
  const started = toDate(status.started);
  const completed = toDate(status.completed);
  return {
    id: status.ID,
    vertex: status.vertex,
    name: status.name,
    current: Number(status.current),
    total: Number(status.total),
    timestamp: toDate(status.timestamp) ?? new Date(0),
    ...(started && { started }),
    ...(completed && { completed }),
  };
}

function toWarning(warning: VertexWarning): StatusUpdate["warnings"][number] {
  return {
    vertex: warning.vertex,
    level: Number(warning.level),
    short: text(warning.short),
    detail: warning.detail.map(text),
    url: warning.url,
    ...(warning.info && { source: toSourceInfo(warning.info) }),
    ranges: warning.ranges.map(toSourceRange),
  };
}

function toSourceInfo({ filename, data, language }: WireSourceInfo): SourceInfo {
  return { filename, data: ownBytes(data), language };
}

function toSourceRange({ start, end }: Range): SourceRange {
  return {
    start: { line: start?.line ?? 0, character: start?.character ?? 0 },
    end: { line: end?.line ?? 0, character: end?.character ?? 0 },
  };
}

function toDate(timestamp: Timestamp | undefined): Date | undefined {
  return timestamp && dateOf(timestamp);
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}
