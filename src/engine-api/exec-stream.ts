import { Duplex } from "node:stream";
import { types } from "node:util";
import { readOptions } from "../core/index.js";
import { EngineError } from "./errors.js";
import { execKinds } from "./option-kinds.js";
import { StdcopyParser } from "./stdcopy.js";

const keptStderr = 64 * 1024;

/** Options of {@link ExecStream}. */
export interface ExecStreamOptions {
  /** Gets stderr as it comes, besides {@link ExecStream.stderrTail}. What it throws, or rejects with, destroys the stream. */
  onStderr?: ((data: Buffer) => unknown) | undefined;
  /** After `end()`, destroy the connection when the process has not ended its output within this time. Default: wait. */
  lingerMilliseconds?: number | undefined;
  /** The process has a terminal: its output is not framed and has no stderr. Default false. */
  tty?: boolean | undefined;
  /** How to explain a process that ends, or writes something unexpected, before its first proper output. */
  early?: EarlyEnd | undefined;
}

/** How to tell a process that never began its work from one that ended it. */
export interface EarlyEnd {
  /** Whether proper output may begin with this byte. Other output is held back and handed to `explain`. */
  expects(firstByte: number): boolean;
  /** What went wrong, if anything did, given what the process wrote instead of proper output. Must not reject. */
  explain(output: string): Promise<Error | undefined>;
}

/** How long to wait for the rest of unexpected output. */
const strayMilliseconds = 2_000;
const keptStray = 4 * 1024;

/**
 * A process in a container as a byte stream: what is read is its stdout, what is written its stdin (on the wire stdout is
 * framed, stdin is not). `end()` closes its stdin and leaves its output open.
 *
 * The end of the process's output ends the stream at once, whatever was still to be written.
 */
export class ExecStream extends Duplex {
  readonly execId: string;
  readonly #socket: Duplex;
  readonly #parser: StdcopyParser | undefined;
  readonly #options: ExecStreamOptions;
  #stderr: Buffer[] = [];
  #stderrLength = 0;
  #drained: (() => void) | undefined;
  #over = false;
  #timer: NodeJS.Timeout | undefined;
  #more = true;
  #early: EarlyEnd | undefined;
  #stray = "";

  constructor(execId: string, socket: Duplex, given: ExecStreamOptions = {}) {
    const options = readOptions("ExecStream", given, execKinds.stream);
    // Without half-open a writer learns of the end of the output by the end of its own side.
    super({ allowHalfOpen: false, highWaterMark: 256 * 1024 });
    this.execId = execId;
    this.#socket = socket;
    this.#options = options;
    this.#early = options.early;
    this.#parser = options.tty ? undefined : new StdcopyParser((stream, data) => this.#take(stream, data));
    socket.on("data", (chunk: Buffer) => this.#feed(chunk));
    socket.on("drain", () => this.#release());
    socket.on("end", () => this.#finishReading());
    socket.on("error", (cause) => this.#fail(cause));
    socket.on("close", () => {
      if (!this.#over) this.#fail(undefined);
      this.#release();
    });
  }

  /** The last 64 KiB of what the process wrote to stderr. */
  stderrTail(): string {
    return Buffer.concat(this.#stderr).subarray(-keptStderr).toString("utf8");
  }

  /** True when the stream ended inside a frame: output is missing. */
  get truncated(): boolean {
    return this.#over && this.#parser?.atBoundary === false;
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#send(done, () => this.#socket.write(chunk));
  }

  override _writev(items: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#send(done, () => {
      this.#socket.cork();
      let open = true;
      for (const { chunk } of items) open = this.#socket.write(chunk);
      this.#socket.uncork();
      return open;
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#over || this.#socket.destroyed) return done();
    const { lingerMilliseconds } = this.#options;
    if (lingerMilliseconds !== undefined && this.#stray === "") {
      this.#timer = setTimeout(() => this.destroy(), lingerMilliseconds);
    }
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    this.#over = true;
    this.#socket.destroy();
    this.#release();
    done(error);
  }

  #feed(chunk: Buffer): void {
    this.#more = true;
    try {
      if (this.#parser) this.#parser.feed(chunk);
      else this.#take(1, chunk);
    } catch (error) {
      this.destroy(error as Error);
      return;
    }
    if (!this.#more) this.#socket.pause();
  }

  #take(stream: 1 | 2, data: Buffer): void {
    if (stream === 1) {
      if (this.#early && !this.#begins(this.#early, data)) return;
      if (!this.push(data)) this.#more = false;
      return;
    }
    const taken = this.#options.onStderr?.(data);
    if (types.isPromise(taken)) taken.catch((error: Error) => this.destroy(error));
    // A copy: a few bytes of stderr must not hold on to the whole buffer they came in.
    const kept = Buffer.from(data.subarray(-keptStderr));
    this.#stderr.push(kept);
    this.#stderrLength += kept.length;
    if (this.#stderrLength > 2 * keptStderr || this.#stderr.length > 1024) {
      this.#stderr = [Buffer.concat(this.#stderr).subarray(-keptStderr)];
      this.#stderrLength = this.#stderr[0]?.length ?? 0;
    }
  }

  // Engines tell on stdout that a process could not be started: "OCI runtime exec failed: …".
  #begins(early: EarlyEnd, data: Buffer): boolean {
    if (this.#stray === "" && early.expects(data[0] ?? 0)) {
      this.#early = undefined;
      return true;
    }
    if (this.#stray === "") {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#finishReading(), strayMilliseconds);
    }
    this.#stray = (this.#stray + data.toString("utf8")).slice(0, keptStray);
    return false;
  }

  // An end inside a frame counts as an end, as Go's client has it; `truncated` tells of it.
  #finishReading(): void {
    if (this.#over) return;
    const error = this.#parser?.endError();
    if (error) {
      this.destroy(error);
      return;
    }
    this.#finish(undefined);
  }

  #fail(cause: Error | undefined): void {
    if (this.#over) return;
    const text = cause ? `: ${cause.message}` : "";
    this.#finish(
      new EngineError(
        "ENGINE_CONNECTION_LOST",
        `the connection to the process in the container broke${text}`,
        { cause },
      ),
    );
  }

  #finish(error: Error | undefined): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#socket.destroy();
    if (this.#early) void this.#explain(this.#early, error);
    else this.#conclude(error);
  }

  async #explain(early: EarlyEnd, otherwise: Error | undefined): Promise<void> {
    this.#conclude((await early.explain(this.#stray)) ?? otherwise);
  }

  #conclude(error: Error | undefined): void {
    if (this.destroyed) return;
    if (error) this.destroy(error);
    else this.push(null);
  }

  #send(done: (error?: Error | null) => void, write: () => boolean): void {
    // Nobody takes it any more, and failing here would throw away output that has not been read yet.
    if (this.#over || this.#socket.destroyed) return done();
    if (write()) done();
    else this.#drained = () => done();
  }

  #release(): void {
    const drained = this.#drained;
    this.#drained = undefined;
    drained?.();
  }
}
