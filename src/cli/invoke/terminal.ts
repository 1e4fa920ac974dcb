import { isatty } from "node:tty";
import type { TerminalSize } from "../../build/index.js";
import type { CliContext } from "../cli-context.js";

/** The terminal while a command has it: keys come as they are pressed, Ctrl-C too, and its size is passed on. */
export class Terminal implements Disposable {
  readonly #context: CliContext;
  readonly #sizes = new Sizes();
  readonly #onResize = () => this.#sizes.push(this.#size());

  constructor(context: CliContext) {
    this.#context = context;
    this.#setRaw(true);
    context.stdout.stream.on("resize", this.#onResize);
  }

  get options() {
    // Without cleaning: whoever asks for a shell on the terminal gives it to the shell.
    return { stdout: this.#context.stdout.stream, tty: this.#size(), resizes: this.#sizes };
  }

  [Symbol.dispose](): void {
    this.#context.stdout.stream.removeListener("resize", this.#onResize);
    this.#sizes.end();
    this.#setRaw(false);
  }

  #size(): TerminalSize {
    const { columns = 80, rows = 24 } = this.#context.stdout.stream;
    return { columns, rows };
  }

  #setRaw(isRaw: boolean): void {
    const stdin = this.#context.stdin as { setRawMode?: (mode: boolean) => unknown };
    try {
      stdin.setRawMode?.(isRaw);
    } catch {
      // The terminal is gone, which a signal tells of.
    }
  }
}

/** Of the process, which had one: a terminal that is closed may break the streams before a signal tells of it. */
export function isTerminalGone(): boolean {
  return !isatty(0) || !isatty(1);
}

/** Sizes as they come, to the end. */
class Sizes implements AsyncIterable<TerminalSize> {
  readonly #waiting: TerminalSize[] = [];
  #wake: () => void = () => {};
  #hasEnded = false;

  push(size: TerminalSize): void {
    this.#waiting.push(size);
    this.#wake();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TerminalSize, void> {
    while (!this.#hasEnded) {
      const next = this.#waiting.shift();
      if (next) yield next;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
