import type { CriticalStretch, ReportStep, TimeSpan } from "./report-model.js";

/** A step that begins within this many milliseconds before another's end may have waited for it: clocks are rounded. */
const tolerance = 2;

/** One run of a step. */
interface Run extends TimeSpan {
  step: ReportStep;
}

/**
 * The chain of runs that the build's length comes from: back from the last run to end, each time to what it waited for.
 * That is the input that ended last; where the graph names none (sources, exports and work of the client), it is
 * whatever ended last before the run began. What a load at the end waits for is the export that feeds it, up to then.
 */
export function criticalPath(steps: readonly ReportStep[]): CriticalStretch[] {
  const byNumber = new Map(steps.map((step) => [step.number, step]));
  const byEnd = steps
    .flatMap((step) => step.runs.map((run): Run => ({ ...run, step })))
    .sort((a, b) => a.end - b.end || a.start - b.start);
  const path: CriticalStretch[] = [];
  const seen = new Set<ReportStep>();
  let at = byEnd.at(-1);
  while (at) {
    seen.add(at.step);
    const feeding = path.length === 0 ? feedingExport(byEnd, at) : undefined;
    const before: Run | undefined =
      latestInput(at, byNumber, seen) ?? feeding ?? latestBefore(byEnd, at, seen);
    path.push({
      step: at.step.number,
      start: Math.max(at.start, Math.min(before?.end ?? 0, at.end)),
      end: at.end,
    });
    at = before;
  }
  return path.reverse();
}

/** The run of an input that ended last before `run` began; inputs that never ran stand for their own inputs. */
function latestInput(
  run: Run,
  byNumber: ReadonlyMap<number, ReportStep>,
  seen: ReadonlySet<ReportStep>,
): Run | undefined {
  let latest: Run | undefined;
  const asked = new Set<number>();
  const open = [...run.step.inputs];
  for (let number = open.pop(); number !== undefined; number = open.pop()) {
    const step = byNumber.get(number);
    if (!step || asked.has(number)) continue;
    asked.add(number);
    if (step.runs.length === 0) open.push(...step.inputs);
    if (seen.has(step)) continue;
    for (const each of step.runs)
      if (each.end <= run.start + tolerance && each.end > (latest?.end ?? -1)) latest = { ...each, step };
  }
  return latest;
}

/** The export that goes on while `last`, work of the client's own, takes what it sends; none of both has inputs. */
function feedingExport(byEnd: readonly Run[], last: Run): Run | undefined {
  if (last.step.inputs.length > 0) return undefined;
  const feeding = byEnd.findLast(
    ({ step, start, end }) =>
      step.name.startsWith("exporting to ") && start < last.start - tolerance && end > last.start,
  );
  return feeding && { ...feeding, end: last.start };
}

function latestBefore(byEnd: readonly Run[], run: Run, seen: ReadonlySet<ReportStep>): Run | undefined {
  // What begins with the build has waited for nothing.
  if (run.start <= tolerance) return undefined;
  // Nothing waits for what takes no time, such as steps that are cached.
  return byEnd.findLast(
    ({ step, start, end }) => end <= run.start + tolerance && end > start && !seen.has(step),
  );
}
