import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Environment } from "../config/index.js";
import { orAborted, roomIn } from "../core/index.js";
import {
  type CiSystem,
  LogSanitizer,
  ciSystem,
  guardWorkflowCommands,
  hyperlink,
  sanitizeName,
  sanitizeText,
  type Annotation,
  workflowAnnotation,
} from "../progress/index.js";

/** A standard output of the process, or a test's stand-in. */
export type OutputStream = Writable & { isTTY?: boolean; columns?: number; rows?: number };

/** Escapes that JSON has for what a terminal, or a reader of CI logs, would take for a command. */
const escapes: readonly [pattern: RegExp, replacement: (match: string) => string][] = [
  [/[\x7f-\x9f]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`],
  [/##\[/g, () => "##\\u005b"],
  [/section_(start|end):/g, (mark) => `${mark.slice(0, -1)}\\u003a`],
];

/**
 * The one way from a command to stdout or stderr. Much of what a command prints comes from builders, registries, images
 * and other people's files, so everything is cleaned here: control sequences do not reach a terminal (SEC-31, SEC-32),
 * and no line becomes a command to a CI system that reads the log (SEC-33). `npm run check` finds what writes past it.
 */
export class Printer {
  /** For a display, which cleans what it shows itself, and for payload: exports, archives, a connection. */
  readonly stream: OutputStream;
  readonly #reader: CiSystem | undefined;
  readonly #env: Environment;
  /** Links that were made here, and the sequences in them. */
  readonly #made = new Set<string>();
  readonly #links = new Set<string>();

  /** @param env says whether a CI system reads along. */
  constructor(stream: OutputStream, env: Environment) {
    this.stream = stream;
    this.#env = env;
    this.#reader = ciSystem(env);
  }

  get isTerminal(): boolean {
    return this.stream.isTTY === true;
  }

  /** Prints text for people: always without control sequences. Colours stay, and end with their line. */
  text(text: string): void {
    const clean = sanitizeText(text, this.#links);
    this.stream.write(this.#reader ? guardWorkflowCommands(clean, this.#reader) : clean);
  }

  /** Prints text for programs, such as what a template makes: cleaned only where a terminal or a CI log shows it. */
  values(text: string): void {
    if (this.isTerminal || this.#reader) this.text(text);
    else this.stream.write(text);
  }

  /** Prints JSON; what would be cleaned in a text is written as an escape of JSON's, so that the value stays. */
  json(text: string): void {
    if (!this.isTerminal && !this.#reader) this.stream.write(text);
    else this.text(escapes.reduce((escaped, [pattern, by]) => escaped.replace(pattern, by), text));
  }

  /** Writes a document as it is, byte by byte; a terminal gets it cleaned. */
  bytes(data: Uint8Array): void {
    this.stream.write(this.isTerminal ? new LogSanitizer().push(data) : data);
  }

  /** The same for a document that comes as a stream. The output stays open. */
  async copy(source: Readable, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    const options = { ...(signal && { signal }), end: false };
    if (!this.isTerminal) return orAborted(signal, pipeline(source, this.stream, options));
    const sanitizer = new LogSanitizer();
    const sanitized = async function* (chunks: AsyncIterable<Uint8Array | string>) {
      for await (const chunk of chunks) yield sanitizer.push(Buffer.from(chunk));
    };
    return orAborted(signal, pipeline(source, sanitized, this.stream, options));
  }

  /** Writes the output of another program as it is, also to a terminal, which is that program's. Resolves when there is room for more. */
  async payload(data: Uint8Array): Promise<void> {
    if (!this.stream.write(data)) await roomIn(this.stream);
  }

  /** Marks something for a workflow that reads along; nothing elsewhere. */
  annotate(annotation: Annotation): void {
    const line = workflowAnnotation(annotation, this.#env);
    if (line !== "") this.stream.write(line);
  }

  /** A text from outside, made fit for one line or one cell of a table in a {@link text} of this printer. */
  cell(text: string): string {
    return this.#made.has(text) ? text : sanitizeName(text).replaceAll("\t", " ");
  }

  /** A text that terminals show as a link, for a {@link text} of this printer; empty where this is no terminal. */
  link(url: string, text: string): string {
    if (!this.isTerminal) return "";
    const link = hyperlink(url, text, { enabled: true });
    this.#made.add(link);
    for (const sequence of link.match(/\x1b\]8;;[^\x07]*\x07/g) ?? []) this.#links.add(sequence);
    return link;
  }
}
