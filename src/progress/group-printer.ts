import type { CiCommands } from "./ci-commands.js";
import type { LinePrinter } from "./line-display.js";
import type { Output } from "./output.js";
import { mostPending } from "./plain-printer.js";
import { StepLines, byEnd, outcome } from "./step-lines.js";
import type { TraceVertex } from "./trace-vertex.js";
import type { Trace } from "./trace.js";

/** How long other steps wait for the end of the one whose group is open, in ms. */
const patience = 30_000;

/** What a {@link GroupPrinter} needs. */
export interface GroupPrinterOptions {
  trace: Trace;
  output: Output;
  now: () => number;
  commands: CiCommands;
}

/**
 * Prints the steps of a trace as groups that can be folded, one open at a time. A running step's group stays open until it
 * ends; the others wait, printed whole afterwards, unless they have waited for 30 s or have much to say. What there is
 * nothing to fold in is one line.
 */
export class GroupPrinter implements LinePrinter {
  description = "";
  readonly #options: GroupPrinterOptions;
  readonly #lines: StepLines;
  /** The step whose group is open, its group's name, and since when others wait for it. */
  #open: { vertex: TraceVertex; name: string; start: number; since: number } | undefined;
  #steps = 0;
  #groups = 0;
  #begun = false;

  constructor(options: GroupPrinterOptions) {
    this.#options = options;
    this.#lines = new StepLines(options.output);
  }

  print(): void {
    const waiting = this.#waiting();
    const open = this.#open?.vertex;
    if (open && waiting.has(open)) this.#printVertex(open);
    waiting.delete(open as TraceVertex);
    for (const vertex of waiting) if (vertex.log.pendingBytes > mostPending) this.#printVertex(vertex);
    if (this.#open && this.#options.now() - this.#open.since < patience) return;
    this.#printCompleted(waiting);
    if (this.#open && waiting.size === 0) return;
    const next =
      [...waiting].find((vertex) => !vertex.completed) ?? (this.#open ? undefined : this.#running());
    if (next) this.#printVertex(next);
  }

  flush(): void {
    const waiting = this.#waiting();
    const open = this.#open?.vertex;
    if (open && waiting.delete(open)) this.#printVertex(open);
    this.#printCompleted(waiting);
    for (const vertex of waiting) if (!vertex.completed) this.#printVertex(vertex);
    this.#close();
  }

  pendingBytes(): number {
    let bytes = 0;
    for (const vertex of this.#waiting()) bytes += vertex.log.pendingBytes;
    return bytes;
  }

  /** The steps with news, those of the open group too. */
  #waiting(): Set<TraceVertex> {
    const { updates, byDigest } = this.#options.trace;
    const vertices = [...updates].map((digest) => byDigest.get(digest));
    return new Set(vertices.filter((vertex) => vertex !== undefined && !vertex.hidden) as TraceVertex[]);
  }

  /** A step that runs without news: its group says what is being waited for. */
  #running(): TraceVertex | undefined {
    return this.#options.trace.vertices.find((vertex) => !vertex.completed && !vertex.hidden);
  }

  #printCompleted(waiting: Set<TraceVertex>): void {
    for (const vertex of [...waiting].filter(({ completed }) => completed).sort(byEnd)) {
      this.#printVertex(vertex);
      waiting.delete(vertex);
    }
  }

  #printVertex(vertex: TraceVertex): void {
    const { output, trace, now } = this.#options;
    const isFirst = vertex.index === 0;
    if (isFirst) vertex.index = ++this.#steps;
    const prefix = `#${vertex.index} `;
    const isOpen = this.#open?.vertex === vertex;
    trace.updates.delete(vertex.digest);
    if (!isOpen) {
      this.#close();
      if (!this.#begun && this.description) output.write(`#0 ${this.description}\n`);
      this.#begun = true;
      if (vertex.completed && !hasNews(vertex)) {
        output.write(`${prefix}${vertex.name} ${outcome(vertex, now())}\n`);
        return;
      }
      // A section's times are shown as how long it took: the step's own, but for a group that goes on with one.
      const begun = vertex.merged.at(-1)?.start;
      const start = begun === undefined || !isFirst ? now() : begun + trace.clockShift;
      const name = String(++this.#groups);
      this.#open = { vertex, name, start, since: now() };
      output.command(this.#options.commands.begin(name, start));
      output.write(`${prefix}${vertex.name}\n`);
    }
    const hasOpenStatus = this.#lines.printNews(vertex, prefix);
    // Loading a remote cache sends statuses of vertices that have ended.
    if (!vertex.completed || hasOpenStatus) return;
    this.#lines.endLine(vertex);
    this.#close();
  }

  /** Closes the open group; what became of its step stands below it, so that it is seen when all is folded. */
  #close(): void {
    if (!this.#open) return;
    const { output, commands, now, trace } = this.#options;
    const { vertex, name, start } = this.#open;
    this.#open = undefined;
    if (!output.atLineStart) output.write("\n");
    if (!vertex.completed) {
      vertex.log.interrupt();
      output.write(`#${vertex.index} ...\n`);
    }
    const stop = vertex.merged.at(-1)?.stop;
    const end = stop === undefined ? now() : stop + trace.clockShift;
    output.command(commands.end(name, Math.max(start, end)));
    if (vertex.completed) output.write(`#${vertex.index} ${outcome(vertex, now())}\n`);
  }
}

/** There is something to print below the step's name. */
function hasNews(vertex: TraceVertex): boolean {
  return (
    vertex.log.pendingBytes > 0 ||
    vertex.warnings.length > vertex.warningsPrinted ||
    vertex.statuses.some(({ latest }) => vertex.changedStatuses.has(latest.id))
  );
}
