import { Duplex } from "node:stream";
import { DriverError } from "../driver-error.js";
import type { WebSocketLike } from "./client-node.js";

/** Channels of a process's streams (Kubernetes' remotecommand over WebSockets); `close` came with version 5. */
const channels = { stdin: 0, stdout: 1, stderr: 2, status: 3, close: 255 } as const;

/** After the end of its input, a process may take so long to end its output, in ms. */
const lingerMilliseconds = 2_000;

const keptStderr = 16 * 1024;

/** The last message: how the process ended. */
interface Status {
  isSuccess: boolean;
  message: string;
  exitCode?: string;
}

/**
 * A process in a pod as a byte stream: what is read is its stdout, what is written its stdin. `end()` closes its stdin, and
 * leaves its output open (only version 5 of the protocol can). A process that fails before it says anything destroys the
 * stream, with its exit code and what it wrote to stderr.
 */
export class PodStream extends Duplex {
  readonly #what: string;
  #socket: WebSocketLike | undefined;
  #stderr = Buffer.alloc(0);
  #hasSpoken = false;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;

  /** `what`: the process and its pod, for messages. Data may come before the socket is {@link attach}ed. */
  constructor(what: string) {
    super({ allowHalfOpen: false, highWaterMark: 256 * 1024 });
    this.#what = what;
  }

  /** From now on it can be written. */
  attach(socket: WebSocketLike): void {
    this.#socket = socket;
    socket.on("error", (cause) => this.#break(cause));
    socket.on("close", () => this.#break(undefined));
    if (this.destroyed) socket.terminate();
  }

  /** Takes a message of the socket. */
  receive(channel: number, data: Buffer): void {
    if (this.#isOver) return;
    if (channel === channels.stdout) {
      if (data.length === 0) return;
      this.#hasSpoken = true;
      if (!this.push(data)) this.#socket?.pause();
    } else if (channel === channels.stderr) {
      this.#stderr = Buffer.concat([this.#stderr, data]).subarray(-keptStderr);
    } else if (channel === channels.status) this.#finish(statusOf(data));
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#send([chunk], done);
  }

  override _writev(items: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#send(
      items.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: (error?: Error | null) => void): void {
    const socket = this.#socket;
    if (!socket || this.#isOver) return done();
    this.#timer = setTimeout(() => this.destroy(), lingerMilliseconds);
    if (!socket.protocol.startsWith("v5.")) {
      socket.close();
      return done();
    }
    socket.send(Buffer.of(channels.close, channels.stdin), () => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#socket?.terminate();
    done(error);
  }

  #send(chunks: readonly Buffer[], done: (error?: Error | null) => void): void {
    // Nobody takes it any more, and failing here would throw away output that has not been read yet.
    if (this.#isOver || !this.#socket) return done();
    this.#socket.send(Buffer.concat([Buffer.of(channels.stdin), ...chunks]), () => done());
  }

  #finish({ isSuccess, message, exitCode: code }: Status): void {
    const stderr = this.#stderr.toString("utf8").trim();
    if (this.#hasSpoken || (isSuccess && stderr === "")) return this.#conclude(undefined);
    const how = code === undefined ? `could not be run: ${message}` : `exited with code ${code}`;
    this.#conclude(`${this.#what} ${isSuccess ? "ended" : how}${stderr && `: ${stderr}`}`);
  }

  #break(cause: Error | undefined): void {
    if (this.#isOver) return;
    this.#conclude(`the connection to ${this.#what} broke${cause ? `: ${cause.message}` : ""}`, cause);
  }

  #conclude(failure: string | undefined, cause?: Error): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    if (failure === undefined) this.push(null);
    else this.destroy(new DriverError("DRIVER_CONNECT", failure, { cause }));
  }
}

/** Read field by field: what is thrown here would end the process. */
function statusOf(data: Buffer): Status {
  const text = data.toString("utf8");
  let said: Record<string, unknown>;
  try {
    said = fieldsOf(JSON.parse(text));
  } catch {
    return { isSuccess: false, message: text.slice(0, 1_000) };
  }
  const { causes } = fieldsOf(said["details"]);
  const list: unknown[] = Array.isArray(causes) ? causes : [];
  const exit = list.map(fieldsOf).find(({ reason }) => reason === "ExitCode");
  const code = exit?.["message"];
  return {
    isSuccess: said["status"] === "Success",
    message: typeof said["message"] === "string" ? said["message"] : "",
    ...(typeof code === "string" && { exitCode: code }),
  };
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
