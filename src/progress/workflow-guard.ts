/** Which log reads along and takes some text for commands. */
export type LogReader = "github" | "gitlab";

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const colon = 0x3a;
const bracket = 0x5b;
const mark = Buffer.from("> ");
const gap = Buffer.from(" ");
/** Bytes before the one that would complete a command inside a line: `section_start`. */
const longestStart = 13;

/**
 * Keeps bytes on their way to a CI system's log from becoming commands to it (SEC-33).
 *
 * GitHub Actions takes `::name::` at the beginning of a line: `> ` is put before a colon that would be the first visible
 * character. The runner ends lines at carriage returns too, and skips blanks; bytes outside ASCII count as blanks here,
 * since some of them are. It also still takes `##[name]` anywhere in a line, which gets a space before the bracket
 * (actions/runner ActionCommand.cs). GitLab takes `section_start:` and `section_end:`, which get one before the colon.
 */
export class WorkflowGuard {
  readonly #reader: LogReader;
  #atStart = true;
  /** The last bytes of what came before. */
  #tail = "";

  constructor(reader: LogReader = "github") {
    this.#reader = reader;
  }

  push(bytes: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    let from = 0;
    const insert = (index: number, what: Uint8Array) => {
      parts.push(bytes.subarray(from, index), what);
      from = index;
    };
    const github = this.#reader === "github";
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index] ?? 0;
      if (byte === lineFeed || byte === carriageReturn) this.#atStart = true;
      else if (github && this.#atStart && byte > 0x20 && byte < 0x80) {
        this.#atStart = false;
        if (byte === colon) insert(index, mark);
      }
      if (github ? byte === bracket : byte === colon) {
        const before = this.#before(bytes, index);
        if (github ? before.endsWith("##") : /section_(?:start|end)$/.test(before)) insert(index, gap);
      }
    }
    this.#tail = this.#before(bytes, bytes.length);
    return parts.length === 0 ? bytes : Buffer.concat([...parts, bytes.subarray(from)]);
  }

  #before(bytes: Uint8Array, index: number): string {
    const near = Buffer.from(bytes.subarray(Math.max(0, index - longestStart), index)).toString("latin1");
    return (this.#tail + near).slice(-longestStart);
  }
}

/** The same for one text that is printed on its own: an error message, a source excerpt, the result of `--call`. */
export function guardWorkflowCommands(text: string, reader: LogReader = "github"): string {
  return Buffer.from(new WorkflowGuard(reader).push(Buffer.from(text))).toString();
}
