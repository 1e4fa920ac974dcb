import {
  type Interval,
  type ProgressGroup,
  type Vertex,
  type VertexStatus,
  type VertexWarning,
  mergeIntervals,
} from "../core/index.js";
import type { LogWindow } from "./log-window.js";
import type { LogSanitizer } from "./sanitize.js";
import type { StepLog } from "./step-log.js";

/** A vertex restarted more often than this has its ended runs joined. */
const mostIntervals = 64;

/** What is known of one vertex, or of a group of vertices that is shown as one. */
export class TraceVertex {
  readonly digest: string;
  name: string;
  cached = false;
  error = "";
  /** Number in the plain output; 0 before it was first printed. */
  index = 0;
  /** Latest state of each status that has started, in order of start. */
  readonly statuses: { latest: VertexStatus }[] = [];
  readonly statusById = new Map<string, { latest: VertexStatus; listed: boolean }>();
  /** Ids of statuses that changed since they were last printed. */
  readonly changedStatuses = new Set<string>();
  readonly warnings: VertexWarning[] = [];
  warningsPrinted = 0;
  readonly log: StepLog;
  /** Strips the step's output of control sequences; absent where it passes as it is. */
  sanitizer: LogSanitizer | undefined;
  /** The last lines as a terminal would show them; only for the terminal display. */
  window: LogWindow | undefined;
  windowBytes = 0;
  windowCount = 0;
  /** Changes since the vertex was last given room, and since when: decides who is printed next. */
  count = 0;
  waitingSince = 0;
  /** The update that `changed` compares with. */
  previous: Vertex | undefined;
  /** A group none of whose strong members has started. */
  hidden = false;
  /** Bumped by each change, so that a display can keep what it made of the vertex. */
  version = 0;
  /** Joined stretches in which it ran. */
  merged: Interval[] = [];
  readonly #intervals = new Map<number, Interval>();

  constructor(digest: string, name: string, log: StepLog) {
    this.digest = digest;
    this.name = name;
    this.log = log;
  }

  get started(): boolean {
    return this.merged.length > 0;
  }

  /** The latest stretch has ended; a vertex may start again after that. */
  get completed(): boolean {
    return this.merged.at(-1)?.stop !== undefined;
  }

  get canceled(): boolean {
    // Go's context.Canceled.Error(), with which the daemon's text ends (buildx progressui looks for it as well).
    return this.error.endsWith("context canceled");
  }

  get failed(): boolean {
    return this.error !== "" && !this.canceled;
  }

  /** Notes a run that began at `started`; a later note of the same run replaces it. Returns whether it was news. */
  run(started: Date, completed: Date | undefined): boolean {
    const start = started.getTime();
    const stop = completed?.getTime();
    const old = this.#intervals.get(start);
    if (old && old.stop === stop) return false;
    this.#intervals.set(start, { start, stop });
    this.merged = mergeIntervals(this.#intervals.values());
    if (this.#intervals.size > mostIntervals && this.completed) {
      this.#intervals.clear();
      for (const interval of this.merged) this.#intervals.set(interval.start, interval);
    }
    return true;
  }

  /** Counts a change for the fair share of the printer. */
  touch(now: number): void {
    if (this.count === 0) this.waitingSince = now;
    this.count++;
    this.version++;
  }
}

/** A group and the last state of each of its members (pb.ProgressGroup). */
export class TraceGroup {
  readonly vertex: TraceVertex;
  readonly members = new Map<string, { vertex: Vertex; group: ProgressGroup }>();

  constructor(vertex: TraceVertex) {
    this.vertex = vertex;
    vertex.hidden = true;
  }

  /** Works out the group's state from its members. */
  refresh(): { changed: boolean; revealed: boolean } {
    const group = this.vertex;
    const wasHidden = group.hidden;
    let changed = false;
    let cached = true;
    let error = group.error;
    for (const { vertex, group: membership } of this.members.values()) {
      if (vertex.started) {
        if (group.run(vertex.started, vertex.completed)) changed = true;
        if (!membership.weak) group.hidden = false;
      }
      cached &&= vertex.cached;
      if (error === "") error = vertex.error ?? "";
      else group.hidden = false;
    }
    if (group.cached !== cached || group.error !== error) changed = true;
    group.cached = cached;
    group.error = error;
    const revealed = wasHidden && !group.hidden;
    return { changed: changed || revealed, revealed };
  }
}
