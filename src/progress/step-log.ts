/** A line may not grow beyond this many bytes: the rest goes on as a line of its own. */
const longestLine = 256 << 10;

/** What a {@link StepLog} keeps. */
export interface StepLogOptions {
  /** Lines kept for the error block after the end. */
  keepLines: number;
  /** Bytes of them. */
  keepBytes: number;
  /** All lines are also kept until {@link StepLog.takePending}, for the plain printer. */
  pending: boolean;
}

/** A line; `seconds` since the step began are put before it. */
interface Line {
  seconds: string;
  pieces: Uint8Array[];
  bytes: number;
}

const newline = 0x0a;

/** The output of one step cut into lines, holding a bounded part of it (MEM-7). */
export class StepLog {
  readonly #options: StepLogOptions;
  #tail: Line[] = [];
  #tailBytes = 0;
  /** The last line has no newline yet. */
  #open = false;
  /** What came since the last print. */
  #pending: { seconds: string; data: Uint8Array }[] = [];
  #pendingBytes = 0;
  /** The line that was last printed without its end. */
  #begun: Line | undefined;
  /** Something else was printed after it. */
  #interrupted = false;

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
    if (data.length === 0) return;
    if (this.#options.pending) {
      this.#pending.push({ seconds, data });
      this.#pendingBytes += data.length;
    }
    this.#keep(data, seconds);
    this.#open = data[data.length - 1] !== newline;
  }

  /**
   * The bytes to print for what came since the last call: whole lines with `prefix` before each, a line already begun
   * without it. The last one ends in no newline while it is {@link partial}.
   */
  takePending(prefix: string): Uint8Array {
    const out = new Bytes(this.#pendingBytes * 2);
    let line = this.#begun;
    if (line && this.#interrupted) out.add(Buffer.from(`${prefix}${line.seconds} `), ...line.pieces);
    for (const { seconds, data } of this.#pending) {
      const head = Buffer.from(`${prefix}${seconds} `);
      let from = 0;
      for (let index = 0; index < data.length; index++) {
        if (!line) {
          out.add(head);
          line = { seconds, pieces: [], bytes: 0 };
          from = index;
        }
        const byte = data[index] ?? 0;
        out.addByte(byte);
        if (byte === newline) line = undefined;
        else if (++line.bytes >= longestLine && data[index + 1] !== newline) {
          out.addByte(newline);
          line = undefined;
        }
      }
      // A copy: a line that is kept must not keep the megabyte of the message it came in.
      if (line) line.pieces.push(Buffer.from(data.subarray(from)));
    }
    this.#begun = line;
    this.#interrupted = false;
    this.#pending = [];
    this.#pendingBytes = 0;
    return out.take();
  }

  /** Something else was printed in between: a partial line is printed again from its start. */
  interrupt(): void {
    this.#interrupted = true;
  }

  /** The partial line, if there is one, counts as whole: what comes next is a line of its own. */
  endLine(): void {
    this.#open = false;
    this.#begun = undefined;
  }

  /** The last lines, for the error block. */
  tail(): Buffer[] {
    return this.#tail.map(({ seconds, pieces }) => Buffer.concat([Buffer.from(`${seconds} `), ...pieces]));
  }

  /** Lets go of the kept lines: the step ended well. */
  forget(): void {
    this.#tail = [];
    this.#tailBytes = 0;
  }

  #keep(data: Uint8Array, seconds: string): void {
    const { keepLines } = this.#options;
    let start = startOfLastLines(data, keepLines);
    if (start > 0) this.forget();
    let isOpen = this.#open && start === 0;
    while (start < data.length) {
      const found = data.indexOf(newline, start);
      const end = found < 0 ? data.length : found;
      const last = this.#tail.at(-1);
      const piece = Buffer.from(data.subarray(start, end));
      if (isOpen && last && last.bytes + piece.length <= longestLine) {
        last.pieces.push(piece);
        last.bytes += piece.length;
      } else this.#tail.push({ seconds, pieces: [piece], bytes: piece.length });
      this.#tailBytes += piece.length;
      isOpen = false;
      start = end + 1;
    }
    this.#trim();
  }

  #trim(): void {
    const { keepLines, keepBytes } = this.#options;
    let drop = 0;
    while (
      drop < this.#tail.length - 1 &&
      (this.#tail.length - drop > keepLines || this.#tailBytes > keepBytes)
    ) {
      this.#tailBytes -= this.#tail[drop]?.bytes ?? 0;
      drop++;
    }
    if (drop > 0) this.#tail.splice(0, drop);
  }
}

/** Where the last `count` lines begin. */
function startOfLastLines(data: Uint8Array, count: number): number {
  let position = data.length - 1;
  for (let lines = 0; lines < count; lines++) {
    position = data.lastIndexOf(newline, position - 1);
    if (position <= 0) return 0;
  }
  return position + 1;
}

/** Bytes that grow. */
class Bytes {
  #buffer: Buffer;
  #length = 0;

  constructor(capacity: number) {
    this.#buffer = Buffer.allocUnsafe(Math.max(64, capacity));
  }

  addByte(byte: number): void {
    if (this.#length === this.#buffer.length) this.#grow(1);
    this.#buffer[this.#length++] = byte;
  }

  add(...pieces: Uint8Array[]): void {
    for (const piece of pieces) {
      if (this.#length + piece.length > this.#buffer.length) this.#grow(piece.length);
      this.#buffer.set(piece, this.#length);
      this.#length += piece.length;
    }
  }

  take(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  #grow(by: number): void {
    const larger = Buffer.allocUnsafe((this.#length + by) * 2);
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
