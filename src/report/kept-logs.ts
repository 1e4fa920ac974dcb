import { cleanText } from "./clean-text.js";

/** Bytes of all steps' output that a report keeps. */
const mostBytes = 16 << 20;
/** Bytes of one step's output: its beginning and its end. */
const headBytes = 64 << 10;
const tailBytes = 448 << 10;

interface KeptLog {
  head: Uint8Array[];
  headBytes: number;
  tail: Uint8Array[];
  tailBytes: number;
  omitted: number;
}

/** The output of all steps, of each its beginning and its end, and not more than some megabytes of all together. */
export class KeptLogs {
  readonly #logs = new Map<string, KeptLog>();
  #bytes = 0;

  append(step: string, data: Uint8Array): void {
    let log = this.#logs.get(step);
    if (!log) this.#logs.set(step, (log = { head: [], headBytes: 0, tail: [], tailBytes: 0, omitted: 0 }));
    // Copies: a piece must not keep the whole message that it came in.
    const room = Math.max(0, headBytes - log.headBytes);
    const first = Buffer.from(data.subarray(0, room));
    const rest = Buffer.from(data.subarray(room));
    if (first.length > 0) log.head.push(first);
    if (rest.length > 0) log.tail.push(rest);
    log.headBytes += first.length;
    log.tailBytes += rest.length;
    this.#bytes += data.length;
    this.#cut(log, tailBytes);
    if (this.#bytes > mostBytes) this.#makeRoom();
  }

  /** What is kept of a step's output, and how many bytes are missing in its middle. */
  take(step: string): { text: string; omittedBytes: number } {
    const log = this.#logs.get(step);
    if (!log) return { text: "", omittedBytes: 0 };
    if (log.omitted === 0) return { text: logText([...log.head, ...log.tail]), omittedBytes: 0 };
    const note = `… ${log.omitted} bytes are left out here …`;
    return { text: `${logText(log.head)}\n${note}\n${logText(log.tail)}`, omittedBytes: log.omitted };
  }

  /** Halves the ends of the longest logs until a quarter of the room is free. */
  #makeRoom(): void {
    const logs = [...this.#logs.values()];
    for (let most = tailBytes / 2; most >= 1024 && this.#bytes > mostBytes * 0.75; most /= 2)
      for (const log of logs) this.#cut(log, most);
    // Ten thousands of short logs: those that come now go without a beginning.
    for (const log of logs) {
      if (this.#bytes <= mostBytes * 0.75) break;
      this.#bytes -= log.headBytes;
      log.omitted += log.headBytes;
      log.head = [];
      log.headBytes = headBytes;
    }
  }

  /** Drops the oldest pieces of a log's end; a piece that is larger than all of it loses its beginning. */
  #cut(log: KeptLog, most: number): void {
    let drop = 0;
    let excess = log.tailBytes - most;
    while (excess > 0) {
      const piece = log.tail[drop];
      if (!piece) break;
      const cut = Math.min(piece.length, excess);
      excess -= cut;
      log.tailBytes -= cut;
      log.omitted += cut;
      this.#bytes -= cut;
      if (cut < piece.length) log.tail[drop] = Buffer.from(piece.subarray(cut));
      else drop++;
    }
    if (drop > 0) log.tail.splice(0, drop);
  }
}

function logText(pieces: readonly Uint8Array[]): string {
  return cleanText(Buffer.concat(pieces).toString("utf8"));
}
