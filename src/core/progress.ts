import { createHash, randomBytes } from "node:crypto";
import { messageOf } from "./errors.js";

/** One step of a build's graph (moby.buildkit.v1 Vertex). Sent repeatedly, each time with what is known by then. */
export interface Vertex {
  /** `sha256:…`, identifies the vertex in the stream. */
  digest: string;
  name: string;
  /** Digests of the vertices this one waits for. */
  inputs: string[];
  cached: boolean;
  started?: Date;
  completed?: Date;
  /** Error text of a failed vertex; ends in `context canceled` when it was cancelled. */
  error?: string;
  progressGroup?: ProgressGroup;
}

/** Several vertices shown as one (pb.ProgressGroup). */
export interface ProgressGroup {
  id: string;
  name: string;
  weak: boolean;
}

/** Progress inside a vertex, keyed by `id` (moby.buildkit.v1 VertexStatus). Amounts are bytes unless `total` says else. */
export interface VertexStatus {
  id: string;
  vertex: string;
  name: string;
  current: number;
  /** 0 when unknown. */
  total: number;
  timestamp: Date;
  started?: Date;
  completed?: Date;
}

/** Output of a step: any bytes, not aligned to lines (moby.buildkit.v1 VertexLog). */
export interface VertexLog {
  vertex: string;
  /** 1 stdout, 2 stderr. */
  stream: number;
  data: Uint8Array;
  timestamp: Date;
}

/** A position in a source file; lines count from 1, characters from 0 (pb.Range). */
export interface SourceRange {
  start: { line: number; character: number };
  end: { line: number; character: number };
}

/** The file a warning or an error points into (pb.SourceInfo). */
export interface SourceInfo {
  /** As the daemon knows it; the Dockerfile's base name. */
  filename: string;
  data: Uint8Array;
  language: string;
  /** Absolute path on this machine, where it is a file here. */
  path?: string;
}

/** A warning of the frontend, e.g. of its linter (moby.buildkit.v1 VertexWarning). */
export interface VertexWarning {
  vertex: string;
  level: number;
  short: string;
  detail: string[];
  url: string;
  source?: SourceInfo;
  ranges: SourceRange[];
}

/** One update of the status stream, as the daemon sent it. */
export interface StatusUpdate {
  vertexes: Vertex[];
  statuses: VertexStatus[];
  logs: VertexLog[];
  warnings: VertexWarning[];
}

/** A place in a source file, with the file. */
export interface SourceLocation {
  info: SourceInfo;
  ranges: SourceRange[];
}

/** Why a build ended without a result; not for one that was cancelled. */
export interface SolveFailure {
  message: string;
  /** Where in the Dockerfile it failed, as far as the daemon said. */
  sources: readonly SourceLocation[];
}

/** One thing that a build asked of the network. */
export interface NetworkRequest {
  /** Without user and password. */
  url: string;
  /** Whether it was let through. */
  allowed: boolean;
  /** As the builder tells when the step has ended; unknown of what was refused, and of `ADD`. */
  method?: string;
  /** Status of the answer, 502 where there was none. */
  status?: number;
  /** Name of the step that asked. */
  step?: string;
}

/** What a build asked of the network. */
export interface NetworkReport {
  requests: NetworkRequest[];
  /** How many more there were. */
  left: number;
  /** Names of RUN steps that came from the cache, and so asked nothing this time. */
  cachedSteps: string[];
}

/** One thing that made a step run again. */
export type StepCause =
  /** A file of a context that it copies; `context` is `context` or the name of a further one. */
  | { kind: "file"; context: string; path: string; change: "changed" | "added" | "removed" }
  /** The image that its stage begins with. */
  | { kind: "base"; before: string; after: string }
  /** A build argument that it can see. */
  | { kind: "argument"; name: string }
  /** The instruction itself, or one before it that it depends on; empty for one that is new or gone. */
  | { kind: "instruction"; before: string; after: string }
  /** A step that it takes files from has run again. */
  | { kind: "step"; name: string }
  /** The cache was not to be used. */
  | { kind: "no-cache" }
  /** Nothing of this changed: its result was no longer in the builder's cache. */
  | { kind: "evicted" }
  | { kind: "unknown"; why: string };

/** A step that ran although an earlier build of the same had it, and why. */
export interface ExplainedStep {
  digest: string;
  name: string;
  causes: StepCause[];
}

/** Why steps of a build ran again. */
export interface BuildExplanation {
  steps: ExplainedStep[];
  /** Id of the build that this one was compared with. */
  earlier?: string;
  /** Why nothing can be told. */
  unknown?: string;
}

/** An event of a running build. `end` comes once, as the last one, also when the build failed. */
export type BuildEvent =
  /** An empty driver: something else than a build is done with the builder. */
  | { type: "start"; builder: string; driver: string }
  | ({ type: "status" } & StatusUpdate)
  | { type: "message"; level: "info" | "warning"; text: string }
  /** What the build asked of the network, when that is watched (`proxyNetwork`); once, before the end. */
  | ({ type: "network" } & NetworkReport)
  /** Why steps ran that an earlier build had, of a build with `explain`; once a node, before the end. */
  | ({ type: "explained" } & BuildExplanation)
  | { type: "end"; failure?: SolveFailure };

/** Takes events; must not throw and must not block. */
export interface EventSink {
  (event: BuildEvent): void;
  /** Resolves when the sink has room again; undefined when it has. Whoever reads a status stream waits for it. */
  ready?(): Promise<void> | undefined;
}

/** Writes into one vertex of the client's own making. */
export interface VertexWriter {
  readonly digest: string;
  /** Runs `work` as a status line of the vertex: started before, completed after (also when it throws). */
  status<T>(id: string, work: () => Promise<T>): Promise<T>;
  /** Reports progress of the status `id`. `done` marks it completed. */
  progress(id: string, amount: { current: number; total?: number; done?: boolean }): void;
  /** Appends output to the vertex's log. */
  log(stream: 1 | 2, data: Uint8Array): void;
}

/** An update with nothing in it, to be filled in part. */
export function statusEvent(part: Partial<StatusUpdate>): BuildEvent {
  return { type: "status", vertexes: [], statuses: [], logs: [], warnings: [], ...part };
}

/**
 * Runs `work` as a vertex of the client's own (`[internal] booting buildkit`, `importing to docker`, …): it shows in
 * the progress as the daemon's vertices do, with a random digest, and carries the error when `work` throws.
 */
export async function withVertex<T>(
  sink: EventSink | undefined,
  name: string,
  work: (vertex: VertexWriter) => Promise<T>,
): Promise<T> {
  const digest = `sha256:${createHash("sha256").update(randomBytes(16)).digest("hex")}`;
  const started = new Date();
  const emit = (part: Partial<StatusUpdate>) => sink?.(statusEvent(part));
  const vertex = { digest, name, inputs: [], cached: false, started };
  const since = new Map<string, Date>();
  emit({ vertexes: [vertex] });
  const writer: VertexWriter = {
    digest,
    async status(id, run) {
      const begin = new Date();
      const base = { id, vertex: digest, name: id, current: 0, total: 0, started: begin };
      emit({ statuses: [{ ...base, timestamp: begin }] });
      try {
        return await run();
      } finally {
        const now = new Date();
        emit({ statuses: [{ ...base, timestamp: now, completed: now }] });
      }
    },
    progress(id, { current, total = 0, done = false }) {
      const now = new Date();
      const begin = since.get(id) ?? now;
      since.set(id, begin);
      emit({
        statuses: [
          {
            id,
            vertex: digest,
            name: id,
            current,
            total,
            timestamp: now,
            started: begin,
            ...(done && { completed: now }),
          },
        ],
      });
    },
    log(stream, data) {
      emit({ logs: [{ vertex: digest, stream, data, timestamp: new Date() }] });
    },
  };
  try {
    const result = await work(writer);
    emit({ vertexes: [{ ...vertex, completed: new Date() }] });
    return result;
  } catch (error) {
    const text = messageOf(error);
    emit({ vertexes: [{ ...vertex, completed: new Date(), error: text }] });
    throw error;
  }
}
