import type { Vertex, VertexStatus } from "../core/index.js";

/** Statuses of one step that are kept; a step that pushes has one for each blob. */
const mostStatuses = 1000;
/** A step that was started more often than this has its later runs counted as one. */
const mostRuns = 64;

/** What the stream has told of one vertex. */
export class CollectedStep {
  readonly digest: string;
  name: string;
  inputs: readonly string[];
  cached = false;
  error = "";
  group = "";
  /** By start, in milliseconds since the epoch; no end while it runs. */
  readonly runs = new Map<number, number | undefined>();
  readonly statuses = new Map<string, VertexStatus>();

  constructor({ digest, name, inputs }: Vertex) {
    this.digest = digest;
    this.name = name;
    this.inputs = inputs;
  }

  update({ name, inputs, cached, error, started, completed, progressGroup }: Vertex): void {
    if (progressGroup) this.group = progressGroup.name;
    if (inputs.length > 0) this.inputs = inputs;
    // The graph is announced more than once; that must not reset what has begun.
    if (this.runs.size > 0 && !started) return;
    this.name = name;
    this.cached = cached;
    this.error = error ?? "";
    if (!started) return;
    const known = this.runs.has(started.getTime()) || this.runs.size < mostRuns;
    const start = known ? started.getTime() : Math.max(...this.runs.keys());
    this.runs.set(start, completed?.getTime());
  }

  updateStatus(status: VertexStatus): void {
    if (this.statuses.has(status.id) || this.statuses.size < mostStatuses)
      this.statuses.set(status.id, status);
  }
}
