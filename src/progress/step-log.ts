/** A line may not grow beyond this many bytes: the rest goes on as a line of its own. */
const longestLine = 256 << 10;

/** One line of a step's output; `text` starts with the seconds since the step began. */
interface Line {
  text: Uint8Array[];
  bytes: number;
}

/** What a {@link StepLog} keeps. */
export interface StepLogOptions {
  /** Lines kept for the error block after the end. */
  keepLines: number;
  /** Bytes of them. */
  keepBytes: number;
  /** Lines are also kept until {@link StepLog.takePending}, for the plain printer. */
  pending: boolean;
}

const newline = 0x0a;

/** The output of one step cut into lines, holding a bounded part of it (MEM-7). */
export class StepLog {
  readonly #options: StepLogOptions;
  #tail: Line[] = [];
  #tailBytes = 0;
  /** Lines that left the tail at its far end. */
  #left = 0;
  #pending: Line[] = [];
  #pendingBytes = 0;
  /** The last line has no newline yet. */
  #open = false;
  /** Pieces of the first pending line that have been printed already. */
  #printed = 0;

  constructor(options: StepLogOptions) {
    this.#options = options;
  }

  /** The last line is still without a newline. */
  get partial(): boolean {
    return this.#open;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Appends output. `seconds` is put before each line that begins in it. */
  append(data: Uint8Array, seconds: string): void {
    let start = 0;
    while (start < data.length) {
      const end = data.indexOf(newline, start);
      this.#extend(data.subarray(start, end < 0 ? data.length : end), seconds);
      this.#open = end < 0;
      start = end < 0 ? data.length : end + 1;
    }
    this.#trim();
  }

  /**
   * The pieces to print for what came since the last call: whole lines with `prefix` before each, a line already begun
   * without it. The last one ends in no newline while it is {@link partial}.
   */
  *takePending(prefix: string): Generator<Uint8Array | string> {
    const lines = this.#pending;
    for (const [index, line] of lines.entries()) {
      const printed = index === 0 ? this.#printed : 0;
      if (printed === 0) yield prefix;
      yield* line.text.slice(printed);
      if (index < lines.length - 1 || !this.#open) yield "\n";
    }
    const last = lines.at(-1);
    this.#pending = this.#open && last ? [last] : [];
    this.#printed = this.#open && last ? last.text.length : 0;
    this.#pendingBytes = 0;
  }

  /** Something else was printed in between: a partial line is printed again from its start. */
  interrupt(): void {
    this.#printed = 0;
  }

  /** The partial line, if there is one, counts as whole: what comes next is a line of its own. */
  endLine(): void {
    this.#open = false;
    this.#pending = [];
    this.#printed = 0;
  }

  /** The last lines, for the error block; `left` is the number of those before them. */
  tail(): { lines: Buffer[]; left: number } {
    return { lines: this.#tail.map((line) => Buffer.concat(line.text)), left: this.#left };
  }

  /** Lets go of the kept lines: the step ended well. */
  forget(): void {
    this.#tail = [];
    this.#tailBytes = 0;
    this.#left = 0;
  }

  #extend(data: Uint8Array, seconds: string): void {
    const last = this.#tail.at(-1);
    const target = this.#options.pending ? (this.#pending.at(-1) ?? last) : last;
    // A copy: a short line that is kept must not keep the megabyte of the message it came in.
    const copy = Buffer.from(data);
    if (this.#open && target && target.bytes + data.length <= longestLine) {
      if (data.length > 0) target.text.push(copy);
      target.bytes += data.length;
      this.#count(data.length);
      return;
    }
    const line = { text: [Buffer.from(`${seconds} `), copy], bytes: data.length };
    this.#tail.push(line);
    if (this.#options.pending) this.#pending.push(line);
    this.#count(data.length + 32);
  }

  #count(bytes: number): void {
    this.#tailBytes += bytes;
    if (this.#options.pending) this.#pendingBytes += bytes;
  }

  #trim(): void {
    const { keepLines, keepBytes } = this.#options;
    let drop = Math.max(0, this.#tail.length - keepLines);
    for (let index = 0; index < drop; index++) this.#tailBytes -= (this.#tail[index]?.bytes ?? 0) + 32;
    while (this.#tailBytes > keepBytes && drop < this.#tail.length - 1) {
      this.#tailBytes -= (this.#tail[drop]?.bytes ?? 0) + 32;
      drop++;
    }
    if (drop === 0) return;
    this.#tail.splice(0, drop);
    this.#left += drop;
  }
}
