import { AnswerHead, malformed } from "./answer-head.js";
import { Http1Error } from "./http1-error.js";
import { LineReader } from "./line-reader.js";

/** What an {@link AnswerParser} tells of an answer, in this order; after `onUpgrade` nothing more. */
export interface AnswerEvents {
  onHead(head: AnswerHead): void;
  onData(data: Buffer): void;
  onEnd(): void;
  /** The peer has changed the protocol; `rest` is of the new one. */
  onUpgrade(head: AnswerHead, rest: Buffer): void;
}

type State =
  "head" | "fields" | "length" | "chunk" | "chunk data" | "chunk end" | "trailer" | "rest" | "over";

const chunkLine = /^([0-9A-Fa-f]{1,12})[ \t]*(?:;.*)?$/s;

/** Reads one answer of HTTP/1 from bytes in pieces of any size (RFC 9112). Answers with a status of 1xx are passed over. */
export class AnswerParser {
  readonly #method: string;
  readonly #upgrades: boolean;
  readonly #events: AnswerEvents;
  readonly #lines: LineReader;
  #state: State = "head";
  #head: AnswerHead | undefined;
  /** Bytes to come of the body, or of a chunk. */
  #left = 0;

  constructor(asked: { method: string; upgrades: boolean; mostHeaderBytes: number }, events: AnswerEvents) {
    this.#method = asked.method;
    this.#upgrades = asked.upgrades;
    this.#lines = new LineReader(asked.mostHeaderBytes);
    this.#events = events;
  }

  /** Takes the next bytes; gives how many of them are of this answer. @throws Http1Error */
  push(chunk: Buffer): number {
    let at = 0;
    while (at < chunk.length && this.#state !== "over")
      at = this.#isInLines() ? this.#takeLine(chunk, at) : this.#takeData(chunk, at);
    return at;
  }

  /** The peer has ended. @throws Http1Error when the answer is not whole. */
  finish(): void {
    if (this.#state === "over") return;
    if (this.#state !== "rest")
      throw new Http1Error(
        "lost",
        `the peer closed the connection ${this.#head ? "in" : "before"} its answer`,
      );
    this.#end();
  }

  #isInLines(): boolean {
    return this.#state !== "length" && this.#state !== "chunk data" && this.#state !== "rest";
  }

  #takeLine(chunk: Buffer, at: number): number {
    const { line, next } = this.#lines.take(chunk, at);
    if (line === undefined) return next;
    switch (this.#state) {
      case "head":
        this.#head = new AnswerHead(line);
        this.#state = "fields";
        return next;
      case "fields":
        if (line !== "") this.#head?.add(line);
        else if (this.#endHead(chunk, next)) return chunk.length;
        return next;
      case "chunk":
        this.#beginChunk(line);
        return next;
      case "chunk end":
        if (line !== "") throw malformed("a chunk that is longer than it says");
        this.#lines.restart();
        this.#state = "chunk";
        return next;
      default:
        // Trailers say nothing that is of use.
        if (line === "") this.#end();
        return next;
    }
  }

  /** Tells whether what follows is of another protocol. */
  #endHead(chunk: Buffer, next: number): boolean {
    const head = this.#head as AnswerHead;
    if (head.status === 101) {
      if (!this.#upgrades) throw malformed("another protocol without being asked");
      this.#state = "over";
      this.#events.onUpgrade(head, chunk.subarray(next));
      return true;
    }
    if (head.status < 200) {
      this.#state = "head";
      return false;
    }
    const framing = head.framing(this.#method);
    this.#lines.restart();
    this.#left = framing.kind === "length" ? framing.length : 0;
    const isEmpty = framing.kind === "none" || (framing.kind === "length" && framing.length === 0);
    if (framing.kind === "chunked") this.#state = "chunk";
    else this.#state = framing.kind === "rest" ? "rest" : "length";
    this.#events.onHead(head);
    if (isEmpty) this.#end();
    return false;
  }

  #beginChunk(line: string): void {
    const size = chunkLine.exec(line)?.[1];
    if (size === undefined) throw malformed("a chunk without a length");
    this.#left = parseInt(size, 16);
    this.#state = this.#left > 0 ? "chunk data" : "trailer";
  }

  #takeData(chunk: Buffer, at: number): number {
    const { length } = chunk;
    const next = this.#state === "rest" ? length : Math.min(length, at + this.#left);
    this.#left -= next - at;
    this.#events.onData(chunk.subarray(at, next));
    if (this.#state === "length" && this.#left === 0) this.#end();
    else if (this.#state === "chunk data" && this.#left === 0) this.#state = "chunk end";
    return next;
  }

  #end(): void {
    this.#state = "over";
    this.#events.onEnd();
  }
}
