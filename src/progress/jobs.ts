import { type Interval, mergeIntervals } from "../core/index.js";
import { formatAmount } from "./go-format.js";
import { sanitizeName } from "./sanitize.js";
import type { TraceVertex } from "./trace-vertex.js";
import type { Trace } from "./trace.js";

/** One row of the terminal display: a vertex, one of its statuses, or a warning. */
export interface Job {
  name: string;
  /** Amounts, shown behind the name when there is room. */
  status: string;
  /** On this machine's clock. */
  intervals: Interval[];
  completed: boolean;
  failed: boolean;
  canceled: boolean;
  /** The vertex, for the row of a vertex itself. */
  vertex?: TraceVertex;
}

/** Makes the rows of a trace, keeping those of vertices that did not change. */
export class JobList {
  readonly #trace: Trace;
  readonly #kept = new Map<TraceVertex, { version: number; jobs: Job[] }>();

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  jobs(): Job[] {
    return this.#trace.vertices.flatMap((vertex) => {
      const kept = this.#kept.get(vertex);
      if (kept?.version === vertex.version) return kept.jobs;
      const jobs = jobsOf(vertex, this.#trace.clockShift);
      this.#kept.set(vertex, { version: vertex.version, jobs });
      return jobs;
    });
  }

  /** How many vertices there are, and how many of them are done, counted as progressui counts. */
  counts(): { total: number; completed: number } {
    let total = 0;
    let completed = 0;
    for (const vertex of this.#trace.byDigest.values()) {
      if (vertex.hidden) continue;
      total++;
      if (vertex.completed) completed++;
    }
    return { total, completed };
  }
}

function jobsOf(vertex: TraceVertex, shift: number): Job[] {
  const plain = { status: "", failed: false, canceled: false };
  const moved = ({ start, stop }: Interval): Interval => ({
    start: start + shift,
    stop: stop === undefined ? undefined : stop + shift,
  });
  const mark = vertex.failed ? "ERROR " : vertex.canceled ? "CANCELED " : "";
  const row: Job = {
    ...plain,
    name: (vertex.cached ? "CACHED " : "") + mark + vertex.name.replaceAll("\t", " "),
    intervals: mergeIntervals(vertex.merged.map(moved)),
    completed: vertex.completed,
    failed: vertex.failed,
    canceled: vertex.canceled,
    vertex,
  };
  const statuses = vertex.statuses.map(({ latest }): Job => {
    const start = latest.started?.getTime();
    const amounts =
      latest.total !== 0
        ? `${formatAmount(latest.current)} / ${formatAmount(latest.total)}`
        : latest.current !== 0
          ? formatAmount(latest.current)
          : "";
    return {
      ...plain,
      name: `=> ${latest.id.replaceAll("\t", " ")}`,
      status: amounts,
      intervals: start === undefined ? [] : [moved({ start, stop: latest.completed?.getTime() })],
      completed: latest.completed !== undefined,
    };
  });
  const last = vertex.merged.at(-1);
  const warnings = vertex.warnings.map((warning): Job => ({
    ...plain,
    name: `WARN: ${sanitizeName(warning.short)}`,
    intervals: last ? [moved(last)] : [],
    completed: false,
    canceled: true,
  }));
  return [row, ...statuses, ...warnings];
}
