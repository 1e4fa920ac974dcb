import { readFileSync } from "node:fs";
import { Writable } from "node:stream";
import type {
  BuildEvent,
  SourceInfo,
  SourceRange,
  StatusUpdate,
  Vertex,
  VertexLog,
  VertexStatus,
} from "../../src/core/index.js";

/** The path of a file under test/data/progress. */
function dataFile(name: string): URL {
  return new URL(`../data/progress/${name}`, import.meta.url);
}

/** Text that BuildKit's own progressui printed for a recorded stream. */
export function goldenText(name: string): string {
  return readFileSync(dataFile(name), "utf8");
}

/** The updates of a recorded stream: lines as `--progress=rawjson` writes them. */
export function recordedStream(name: string): StatusUpdate[] {
  return goldenText(`${name}.jsonl`).trimEnd().split("\n").map(parseUpdate);
}

interface Raw {
  vertexes?: (Omit<Vertex, "started" | "completed"> & RawTimes)[];
  statuses?: (Omit<VertexStatus, "started" | "completed" | "timestamp"> & RawTimes)[];
  logs?: { vertex: string; stream: number; data: string; timestamp: string }[];
  warnings?: RawWarning[];
}
interface RawTimes {
  started?: string;
  completed?: string;
  timestamp?: string;
}
interface RawWarning {
  vertex: string;
  level?: number;
  short?: string;
  detail?: string[];
  url?: string;
  sourceInfo?: { filename?: string; data?: string; language?: string };
  range?: { start?: Partial<SourceRange["start"]>; end?: Partial<SourceRange["end"]> }[];
}

function parseUpdate(line: string): StatusUpdate {
  const raw = JSON.parse(line) as Raw;
  const times = ({ started, completed }: RawTimes) => ({
    ...(started && { started: new Date(started) }),
    ...(completed && { completed: new Date(completed) }),
  });
  const vertexes = (raw.vertexes ?? []).map((vertex): Vertex => {
    const { progressGroup: group, started: _, completed: __, timestamp: ___, ...rest } = vertex;
    return {
      ...rest,
      inputs: vertex.inputs ?? [],
      cached: vertex.cached ?? false,
      ...times(vertex),
      ...(group && { progressGroup: { ...group, weak: group.weak ?? false } }),
    };
  });
  const statuses = (raw.statuses ?? []).map((status): VertexStatus => {
    const { started: _, completed: __, ...rest } = status;
    const timestamp = new Date(status.timestamp ?? 0);
    return { ...rest, name: status.name ?? "", total: status.total ?? 0, timestamp, ...times(status) };
  });
  const logs = (raw.logs ?? []).map((log): VertexLog => ({
    ...log,
    data: Buffer.from(log.data, "base64"),
    timestamp: new Date(log.timestamp),
  }));
  return { vertexes, statuses, logs, warnings: (raw.warnings ?? []).map(parseWarning) };
}

function parseWarning(raw: RawWarning): StatusUpdate["warnings"][number] {
  const text = (base64 = "") => Buffer.from(base64, "base64").toString();
  const position = (given: Partial<SourceRange["start"]> = {}) => ({
    line: given.line ?? 0,
    character: given.character ?? 0,
  });
  const info = raw.sourceInfo;
  const source: SourceInfo | undefined = info && {
    filename: info.filename ?? "",
    data: Buffer.from(info.data ?? "", "base64"),
    language: info.language ?? "",
  };
  return {
    vertex: raw.vertex,
    level: raw.level ?? 0,
    short: text(raw.short),
    detail: (raw.detail ?? []).map(text),
    url: raw.url ?? "",
    ...(source && { source }),
    ranges: (raw.range ?? []).map(({ start, end }) => ({ start: position(start), end: position(end) })),
  };
}

/** A stream that keeps what is written to it, optionally posing as a terminal. */
export class TextSink extends Writable {
  text = "";
  isTTY?: boolean;
  columns?: number;
  rows?: number;

  constructor(terminal?: { columns: number; rows: number }) {
    super({ decodeStrings: true });
    if (terminal) Object.assign(this, { isTTY: true, ...terminal });
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** A clock that stands still until it is set. */
export class TestClock {
  milliseconds: number;
  readonly now = () => this.milliseconds;

  constructor(start = Date.UTC(2024, 0, 2, 3, 4, 5)) {
    this.milliseconds = start;
  }
}

/** Feeds updates, moving the clock on by `step` milliseconds before each. */
export function feed(
  sink: (event: BuildEvent) => void,
  updates: readonly StatusUpdate[],
  clock: TestClock,
  step: number,
): void {
  for (const update of updates) {
    clock.milliseconds += step;
    sink({ type: "status", ...update });
  }
}

/** A vertex's digest made of one character. */
export function digestOf(character: string): string {
  return `sha256:${character.repeat(64)}`;
}
