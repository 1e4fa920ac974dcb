import type { Output } from "./output.js";
import { StepLines, byEnd, outcome } from "./step-lines.js";
import type { TraceVertex } from "./trace-vertex.js";
import type { Trace } from "./trace.js";

// progressui printer.go
const antiFlicker = 5;
const maxDelay = 10;
/** Output of one step that waits for its turn; with more it is printed out of turn (MEM-7). */
export const mostPending = 1 << 20;

/** What a {@link PlainPrinter} needs. */
export interface PlainPrinterOptions {
  trace: Trace;
  output: Output;
  now: () => number;
  /** Names are cut to 72 bytes (PROGRESS_NO_TRUNC=0). */
  truncate: boolean;
}

/** Prints what changed in a trace as lines, one vertex at a time, without switching between them too often. */
export class PlainPrinter {
  /** Printed once, before the first vertex. */
  description = "";
  readonly #options: PlainPrinterOptions;
  readonly #lines: StepLines;
  #current: TraceVertex | undefined;
  #count = 0;
  #begun = false;

  constructor(options: PlainPrinterOptions) {
    this.#options = options;
    this.#lines = new StepLines(options.output);
  }

  /** Prints what is due. */
  print(): void {
    const { completed, running } = this.#changed();
    const current = this.#current;
    const currentCompleted = current !== undefined && completed.includes(current);
    if (currentCompleted) this.#printVertex(current);
    for (const vertex of completed.sort(byEnd)) if (vertex !== current) this.#printVertex(vertex);
    if (running.size === 0) return this.#showOpen(current);
    if (current && running.has(current)) this.#printVertex(current);
    if (current) running.add(current);
    this.#chooseNext(running, current, currentCompleted);
    for (const vertex of running) if (vertex.log.pendingBytes > mostPending) this.#printVertex(vertex);
  }

  /** Bytes of output that were not printed yet. */
  pendingBytes(): number {
    let bytes = 0;
    for (const digest of this.#options.trace.updates)
      bytes += this.#options.trace.byDigest.get(digest)?.log.pendingBytes ?? 0;
    return bytes;
  }

  /** Prints all that is left, whoever's turn it would be. */
  flush(): void {
    this.print();
    for (const digest of Array.from(this.#options.trace.updates)) {
      const vertex = this.#options.trace.byDigest.get(digest);
      if (vertex && !vertex.hidden && this.#options.trace.updates.has(vertex.digest))
        this.#printVertex(vertex);
    }
  }

  #changed(): { completed: TraceVertex[]; running: Set<TraceVertex> } {
    const { updates, byDigest } = this.#options.trace;
    const completed: TraceVertex[] = [];
    const running = new Set<TraceVertex>();
    for (const digest of updates) {
      const vertex = byDigest.get(digest);
      if (!vertex || vertex.hidden) continue;
      if (vertex.completed) completed.push(vertex);
      else running.add(vertex);
    }
    return { completed, running };
  }

  /** Nothing that runs has news: stays where it is, or turns to any vertex that runs. */
  #showOpen(current: TraceVertex | undefined): void {
    if (current?.started && !current.completed) return;
    for (const vertex of this.#options.trace.byDigest.values()) {
      if (!vertex.started || vertex.completed || vertex.hidden) continue;
      this.#printVertex(vertex);
      return;
    }
  }

  /** Decides whether to switch to another running vertex. */
  #chooseNext(running: Set<TraceVertex>, current: TraceVertex | undefined, currentCompleted: boolean): void {
    const now = this.#options.now();
    let sum = 0;
    let busiest: TraceVertex | undefined;
    const stats = new Map<TraceVertex, { waited: number; speed: number; overdue: boolean }>();
    for (const vertex of running) {
      const waited = Math.max(0, (now - vertex.waitingSince) / 1000);
      const speed = vertex.count / waited;
      const overdue = waited > maxDelay && vertex !== current;
      stats.set(vertex, { waited, speed, overdue });
      sum += speed;
      if (overdue || !busiest || (stats.get(busiest)?.speed ?? 0) < speed) busiest = vertex;
    }
    if (!busiest) return;
    if (!current || currentCompleted) return this.#printVertex(busiest);
    const overdue = [...running].find((vertex) => stats.get(vertex)?.overdue);
    if (overdue) return this.#printVertex(overdue);
    const own = stats.get(current);
    if (own && (1 / (1 - own.speed / sum)) * antiFlicker < own.waited) this.#printVertex(busiest);
  }

  #printVertex(vertex: TraceVertex): void {
    const { trace } = this.#options;
    if (vertex.index === 0) vertex.index = ++this.#count;
    const prefix = `#${vertex.index} `;
    if (vertex !== this.#current) this.#switchTo(vertex, prefix);
    const hasOpenStatus = this.#lines.printNews(vertex, prefix);
    this.#current = vertex;
    // Loading a remote cache sends statuses of vertices that have ended.
    if (vertex.completed && !hasOpenStatus) this.#printEnd(vertex, prefix);
    trace.updates.delete(vertex.digest);
  }

  #switchTo(vertex: TraceVertex, prefix: string): void {
    const { output, truncate } = this.#options;
    const old = this.#current;
    if (old) {
      if (old.log.partial) output.write("\n");
      old.log.interrupt();
      old.count = 0;
      output.write(`#${old.index} ...\n`);
    }
    if (this.#begun) output.write("\n");
    else if (this.description) output.write(`#0 ${this.description}\n\n`);
    this.#begun = true;
    const name = truncate ? cutBytes(vertex.name, 72) : vertex.name;
    output.write(`${prefix}${name}\n`);
  }

  #printEnd(vertex: TraceVertex, prefix: string): void {
    this.#current = undefined;
    vertex.count = 0;
    this.#lines.endLine(vertex);
    this.#options.output.write(`${prefix}${outcome(vertex, this.#options.now())}\n`);
  }
}

/** The first bytes of a text, never half a character, and `...` when something was cut. */
function cutBytes(text: string, limit: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return text;
  let end = limit;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${bytes.subarray(0, end).toString()}...`;
}
