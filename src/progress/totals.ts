import type { BuildEvent, EventSink } from "../core/index.js";

/** How far a build is. */
export interface BuildTotals {
  /** Steps that are done, of those known by now; more become known while a build runs. */
  steps: { done: number; total: number };
  /** Bytes that were moved (base images, contexts, results), of those known by now. */
  bytes: { done: number; total: number };
  /** Bytes a second, over the last seconds; 0 when nothing moves. */
  bytesPerSecond: number;
}

/** Renderer that draws nothing: gives the figures of a progress bar. */
export interface TotalsSink extends EventSink {
  /** The figures as of now. */
  totals(): BuildTotals;
}

/** What the rate is an average over, ms. */
const rateSpan = 3000;
/** Statuses that are counted; what comes after them is not (MEM-7). */
const mostStatuses = 100_000;

/**
 * Counts the events of a build for a progress bar of one's own: `build({ onEvent: totals })`, then `totals.totals()` whenever the bar
 * is drawn, or in `onChange`.
 *
 * @param onChange Called with the figures after each event that changed them.
 */
export function countTotals(
  onChange?: (totals: BuildTotals) => void,
  now: () => number = Date.now,
): TotalsSink {
  const steps = new Map<string, boolean>();
  const amounts = new Map<string, { done: number; total: number }>();
  const bytes = { done: 0, total: 0 };
  const samples: { at: number; done: number }[] = [];
  let stepsDone = 0;
  const take = (event: BuildEvent): boolean => {
    if (event.type !== "status") return false;
    for (const { digest, completed, started } of event.vertexes) {
      // A step may start again after it was done.
      const isDone = completed !== undefined && (started === undefined || completed >= started);
      stepsDone += Number(isDone) - Number(steps.get(digest) ?? false);
      steps.set(digest, isDone);
    }
    for (const { vertex, id, current, total, completed } of event.statuses) {
      const key = `${vertex} ${id}`;
      const old = amounts.get(key) ?? { done: 0, total: 0 };
      if (amounts.size >= mostStatuses && !amounts.has(key)) continue;
      // A transfer of unknown size has moved what it has moved; one that ended has moved all of it.
      const done = Math.max(old.done, completed && total > 0 ? total : current);
      const news = { done, total: Math.max(old.total, total, done) };
      bytes.done += news.done - old.done;
      bytes.total += news.total - old.total;
      amounts.set(key, news);
    }
    if (event.statuses.length > 0) samples.push({ at: now(), done: bytes.done });
    return event.vertexes.length + event.statuses.length > 0;
  };
  const rate = () => {
    const at = now();
    while (samples.length > 2 && at - (samples[1]?.at ?? at) > rateSpan) samples.shift();
    const [first] = samples;
    const span = first ? at - first.at : 0;
    return first && span > 0 && at - (samples.at(-1)?.at ?? 0) <= rateSpan
      ? Math.round(((bytes.done - first.done) * 1000) / span)
      : 0;
  };
  const totals = (): BuildTotals => ({
    steps: { done: stepsDone, total: steps.size },
    bytes: { ...bytes },
    bytesPerSecond: rate(),
  });
  const sink = (event: BuildEvent) => {
    if (take(event)) onChange?.(totals());
  };
  return Object.assign(sink, { totals });
}
