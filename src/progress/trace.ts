import { type StatusUpdate, type Vertex, type VertexLog, type VertexStatus, goFixed } from "../core/index.js";
import { sanitizeName, sanitizeText } from "./sanitize.js";
import type { StepLog } from "./step-log.js";
import { TraceGroup, TraceVertex } from "./trace-vertex.js";

/** What a display wants of a {@link Trace}. */
export interface TraceOptions {
  now: () => number;
  /** Makes the log of a new vertex. */
  createLog: () => StepLog;
  /** Called with each new vertex. */
  onVertex?: (vertex: TraceVertex) => void;
  /** Called with each piece of output, before it is sanitised. */
  onLog?: (vertex: TraceVertex, data: Uint8Array) => void;
}

/** The status stream of a build folded into the state that displays show (BuildKit progressui). */
export class Trace {
  /** Vertices that have started, and groups that have come out, in that order. */
  readonly vertices: TraceVertex[] = [];
  /** By digest, and by id for groups; members of a group lead to the group. */
  readonly byDigest = new Map<string, TraceVertex>();
  /** Digests of what changed since it was last printed. */
  readonly updates = new Set<string>();
  readonly #groups = new Map<string, TraceGroup>();
  readonly #options: TraceOptions;
  #startTime: number | undefined;
  #clockShift: number | undefined;

  constructor(options: TraceOptions) {
    this.#options = options;
  }

  /** Milliseconds to add to a time of the stream to have it on this clock; 0 before anything started. */
  get clockShift(): number {
    return this.#clockShift ?? 0;
  }

  /** When the first vertex started, on this clock; now if none has. */
  get startTime(): number {
    return this.#startTime === undefined ? this.#options.now() : this.#startTime + this.clockShift;
  }

  update(update: StatusUpdate): void {
    const groups = new Set<TraceGroup>();
    for (const vertex of update.vertexes) {
      this.#startTime ??= vertex.started?.getTime();
      if (vertex.progressGroup) groups.add(this.#joinGroup(vertex, vertex.progressGroup));
      else this.#updateVertex(vertex);
    }
    for (const group of groups) this.#updateGroup(group);
    for (const status of update.statuses) this.#updateStatus(status);
    for (const warning of update.warnings) {
      const vertex = this.byDigest.get(warning.vertex);
      vertex?.warnings.push(warning);
      vertex?.touch(this.#options.now());
    }
    for (const log of update.logs) this.#appendLog(log);
  }

  #create(digest: string, name: string): TraceVertex {
    const vertex = new TraceVertex(digest, sanitizeName(name), this.#options.createLog());
    this.byDigest.set(digest, vertex);
    this.#options.onVertex?.(vertex);
    return vertex;
  }

  #joinGroup(vertex: Vertex, membership: NonNullable<Vertex["progressGroup"]>): TraceGroup {
    let group = this.#groups.get(membership.id);
    if (!group) {
      group = new TraceGroup(this.#create(membership.id, membership.name));
      this.#groups.set(membership.id, group);
    }
    group.members.set(vertex.digest, { vertex, group: membership });
    this.byDigest.set(vertex.digest, group.vertex);
    return group;
  }

  #updateVertex(update: Vertex): void {
    const known = this.byDigest.get(update.digest);
    const vertex = known ?? this.#create(update.digest, update.name);
    const wasStarted = vertex.started;
    this.#noteChange(vertex, update);
    if (update.started && !wasStarted) {
      this.#clockShift ??= this.#options.now() - update.started.getTime();
      this.vertices.push(vertex);
    }
    // The graph is announced more than once; that must not reset what has begun.
    if (!wasStarted || update.started) {
      vertex.name = sanitizeName(update.name);
      vertex.cached = update.cached;
      vertex.error = sanitizeText(update.error ?? "");
    }
    if (update.started) vertex.run(update.started, update.completed);
    vertex.version++;
    releaseOutput(vertex);
  }

  #noteChange(vertex: TraceVertex, update: Vertex): void {
    if (!update.started) return;
    const old = vertex.previous;
    const changed =
      !old ||
      update.name !== old.name ||
      update.started.getTime() !== old.started?.getTime() ||
      update.completed !== undefined ||
      update.cached !== old.cached ||
      (update.error ?? "") !== (old.error ?? "");
    if (changed) {
      vertex.touch(this.#options.now());
      this.updates.add(update.digest);
    }
    vertex.previous = update;
  }

  #updateGroup(group: TraceGroup): void {
    const vertex = group.vertex;
    const { changed, revealed } = group.refresh();
    const first = vertex.merged[0];
    if (first) this.#clockShift ??= this.#options.now() - first.start;
    if (vertex.hidden) return;
    vertex.error = sanitizeText(vertex.error);
    if (revealed) this.vertices.push(vertex);
    vertex.version++;
    releaseOutput(vertex);
    if (!changed) return;
    vertex.touch(this.#options.now());
    this.updates.add(vertex.digest);
  }

  #updateStatus(update: VertexStatus): void {
    const vertex = this.byDigest.get(update.vertex);
    if (!vertex) return;
    const status = { ...update, id: sanitizeName(update.id) };
    let entry = vertex.statusById.get(status.id);
    if (!entry) {
      entry = { latest: status, listed: false };
      vertex.statusById.set(status.id, entry);
    }
    entry.latest = status;
    if (status.started && !entry.listed) {
      entry.listed = true;
      vertex.statuses.push(entry);
    }
    vertex.changedStatuses.add(status.id);
    vertex.touch(this.#options.now());
    this.updates.add(vertex.digest);
  }

  #appendLog(log: VertexLog): void {
    const vertex = this.byDigest.get(log.vertex);
    if (!vertex || log.data.length === 0) return;
    this.#options.onLog?.(vertex, log.data);
    const data = vertex.sanitizer ? Buffer.from(vertex.sanitizer.push(log.data)) : log.data;
    vertex.log.append(data, formatLogTime(log.timestamp, vertex.merged.at(-1)?.start));
    vertex.touch(this.#options.now());
    this.updates.add(vertex.digest);
  }
}

/** Lets go of what is shown only while a vertex runs, and of what is shown only if it failed (MEM-7). */
function releaseOutput(vertex: TraceVertex): void {
  if (!vertex.completed) return;
  vertex.window = undefined;
  if (!vertex.failed) vertex.log.forget();
}

/** Seconds since the vertex's latest start with 4 significant places, as progressui writes them: `0.123`, `12.34`. */
function formatLogTime(timestamp: Date, start: number | undefined): string {
  const seconds = start === undefined ? 0 : Math.max(0, (timestamp.getTime() - start) / 1000);
  return goFixed(seconds, seconds < 10 ? 3 : seconds < 100 ? 2 : 1);
}
