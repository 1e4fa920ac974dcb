import { goFixed, secondsOf } from "../core/index.js";
import { formatAmount } from "./go-format.js";
import type { Output } from "./output.js";
import { sanitizeText } from "./sanitize.js";
import type { TraceVertex } from "./trace-vertex.js";

// progressui printer.go
const minTimeDelta = 5000;
const minProgressDelta = 0.05;

/** Writes the lines of steps, without deciding whose turn it is. */
export class StepLines {
  readonly #output: Output;
  readonly #lastShown = new Map<string, { current: number; timestamp: number }>();

  constructor(output: Output) {
    this.#output = output;
  }

  /** Prints statuses, warnings and output that came since the last call; true when a status is still open. */
  printNews(vertex: TraceVertex, prefix: string): boolean {
    const hasOpenStatus = this.#printStatuses(vertex, prefix);
    for (const warning of vertex.warnings.slice(vertex.warningsPrinted))
      this.#writeLine(vertex, `${prefix}WARN: ${sanitizeText(warning.short)}\n`);
    vertex.warningsPrinted = vertex.warnings.length;
    this.#output.write(vertex.log.takePending(prefix));
    return hasOpenStatus;
  }

  /** Ends a line of output that has no newline. */
  endLine(vertex: TraceVertex): void {
    if (vertex.log.partial) this.#output.write("\n");
    vertex.log.endLine();
  }

  /** Writes a line that is not output of the step, on a line of its own. */
  #writeLine(vertex: TraceVertex, line: string): void {
    if (!this.#output.atLineStart) {
      this.#output.write("\n");
      vertex.log.interrupt();
    }
    this.#output.write(line);
  }

  #printStatuses(vertex: TraceVertex, prefix: string): boolean {
    let open = false;
    for (const { latest } of vertex.statuses) {
      if (!vertex.changedStatuses.has(latest.id)) continue;
      const { id, current, total, started, completed } = latest;
      const timestamp = latest.timestamp.getTime();
      const last = this.#lastShown.get(id);
      if (last && !completed) {
        const progressed = total > 0 ? (current - last.current) / total : 0;
        if (progressed < minProgressDelta && timestamp - last.timestamp < minTimeDelta) continue;
      }
      this.#lastShown.set(id, { current, timestamp });
      const amounts =
        total !== 0
          ? ` ${formatAmount(current)} / ${formatAmount(total)}`
          : current !== 0
            ? ` ${formatAmount(current)}`
            : "";
      const seconds = started ? ((completed?.getTime() ?? timestamp) - started.getTime()) / 1000 : 0;
      const time = seconds > 0.01 ? ` ${goFixed(seconds, 1)}s` : "";
      open ||= !completed;
      this.#writeLine(vertex, `${prefix}${id}${amounts}${time}${completed ? " done" : ""}\n`);
    }
    vertex.changedStatuses.clear();
    return open;
  }
}

/** What became of a step, in the printer's words: `DONE 1.2s`, `CACHED`, `CANCELED`, `ERROR: …`. */
export function outcome(vertex: TraceVertex, now: number): string {
  if (vertex.canceled) return "CANCELED";
  if (vertex.failed) return `ERROR: ${vertex.error}`;
  if (vertex.cached) return "CACHED";
  return `DONE ${goFixed(secondsOf(vertex.merged, now), 1)}s`;
}

/** Orders steps by when they ended. */
export function byEnd(a: TraceVertex, b: TraceVertex): number {
  return (a.merged.at(-1)?.stop ?? 0) - (b.merged.at(-1)?.stop ?? 0);
}
