/** What Node's timers take at most, in ms: some 24 days. */
const longest = 2 ** 31 - 1;

/** A delay for a timer, in ms. One that is longer than Node's timers know would pass at once; here it is the longest that there is. */
export function timerDelay(milliseconds: number): number {
  return Math.min(milliseconds, longest);
}
