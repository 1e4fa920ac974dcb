/** Lengths of pumped inputs, in characters, each twice the one before. */
const lengths = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000];
/**
 * Linear work on the longest takes less than this, in ms of the processor, quadratic work several times as much. Below it no
 * growth is looked at.
 */
const negligible = 100;
/** How much 4 times the input may cost. Linear is 4, quadratic 16. */
const mostGrowth = 9;

/** An input of any length that is the same thing again and again. */
export interface Pump {
  prefix: string;
  pump: string;
  suffix: string;
}

/** The input of about that many characters. */
export function pumped({ prefix, pump, suffix }: Pump, length: number): string {
  return prefix + pump.repeat(Math.ceil(length / pump.length)) + suffix;
}

/** Milliseconds of the processor that work takes, the best of some runs: what is not its own only ever adds. */
export function bestTime(work: () => unknown, runs = 3): number {
  let best = Infinity;
  for (let run = 0; run < runs; run++) {
    const start = process.cpuUsage();
    work();
    best = Math.min(best, process.cpuUsage(start).user / 1000);
    if (best < negligible) return best;
  }
  return best;
}

/**
 * What is wrong when the time for pumped inputs of 1, 2 and 4 × grows faster than linear; else undefined. What seems to grow
 * is measured again: a fault grows each time, the compiler's and the collector's work beside it does not.
 */
export function fasterThanLinear(work: (text: string) => unknown, pump: Pump): string | undefined {
  let found: string | undefined;
  for (let attempt = 0; attempt < 3; attempt++) {
    found = growth(work, pump);
    if (found === undefined) return undefined;
  }
  return found;
}

/** Begins with short inputs, since exponential work on long ones would not end. */
function growth(work: (text: string) => unknown, pump: Pump): string | undefined {
  const times: number[] = [];
  for (const length of lengths) {
    const text = pumped(pump, length);
    const time = bestTime(() => work(text));
    times.push(time);
    const before = times.at(-3) ?? times[0] ?? 0;
    if (time < negligible || (times.length > 1 && time < before * mostGrowth)) continue;
    const shown = [pump.prefix, pump.pump, pump.suffix].map((part) => JSON.stringify(part));
    return `${shown[0]} + ${shown[1]} × n + ${shown[2]}: ${times.map((each) => each.toFixed(1)).join(", ")} ms`;
  }
  return undefined;
}
