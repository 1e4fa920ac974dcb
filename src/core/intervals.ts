/** A stretch of time in milliseconds since the epoch; without `stop` it is still going on. */
export interface Interval {
  start: number;
  stop: number | undefined;
}

/** Joins stretches that overlap. One that has no end takes in all that start after it. Sorted by start. */
export function mergeIntervals(intervals: Iterable<Interval>): Interval[] {
  const merged: Interval[] = [];
  for (const next of [...intervals].sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (!last || (last.stop !== undefined && last.stop < next.start)) merged.push({ ...next });
    else if (last.stop !== undefined && (next.stop === undefined || next.stop > last.stop))
      last.stop = next.stop;
  }
  return merged;
}

/** Sum of the stretches in seconds, an open one until `now`. Never negative, whatever the clocks say (FLT-67). */
export function secondsOf(intervals: Iterable<Interval>, now: number): number {
  let sum = 0;
  for (const { start, stop } of intervals) sum += Math.max(0, ((stop ?? now) - start) / 1000);
  return sum;
}
