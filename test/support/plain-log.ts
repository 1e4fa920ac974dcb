/** Steps of a plain log by name: what became of them. */
export interface PlainStep {
  name: string;
  /** `DONE`, `CACHED`, `ERROR: …`, `CANCELED`; empty when the log tells no end. */
  end: string;
  /** Statuses without their times: `transferring context: 31B`. */
  statuses: string[];
  /** What the step printed, without the times in front. */
  output: string[];
}

/** Reads a plain log (`--progress=plain`) into steps, without the numbers and times that differ between any two runs. */
export function parsePlainLog(text: string): PlainStep[] {
  const steps = new Map<string, PlainStep>();
  for (const line of text.split("\n")) {
    const match = /^#(\d+) (.*)$/.exec(line);
    if (!match) continue;
    const [, number = "", rest = ""] = match;
    if (number === "0") continue;
    let step = steps.get(number);
    if (!step) {
      steps.set(number, { name: rest, end: "", statuses: [], output: [] });
      continue;
    }
    if (/^DONE \d+\.\d+s$/.test(rest)) step.end = "DONE";
    else if (rest === "CACHED" || rest === "CANCELED" || rest.startsWith("ERROR: ")) step.end = rest;
    else if (/^\d+\.\d+ /.test(rest)) step.output.push(rest.replace(/^\d+\.\d+ /, ""));
    else if (rest === step.name || rest === "" || rest === "...") continue;
    else {
      const status = rest.replace(/( \d+\.\d+s)?( done)?$/, "");
      if (!step.statuses.includes(status)) step.statuses.push(status);
    }
  }
  return [...steps.values()];
}

/** What a step's last status of this name says, e.g. the bytes behind `transferring context:`. */
export function lastStatus(steps: readonly PlainStep[], step: string, status: string): string | undefined {
  return steps
    .find(({ name }) => name === step)
    ?.statuses.findLast((text) => text.startsWith(status))
    ?.slice(status.length)
    .trim();
}
