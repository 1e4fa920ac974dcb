/** Which log reads along and takes some text for commands. */
export type LogReader = "github" | "gitlab";

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const colon = 0x3a;
const bracket = 0x5b;
const hash = 0x23;
const letterD = 0x64;
const letterT = 0x74;
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
    const inserts: Insert[] = [];
    const github = this.#reader === "github";
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index] ?? 0;
      if (byte === lineFeed || byte === carriageReturn) this.#atStart = true;
      else if (github && this.#atStart && byte > 0x20 && byte < 0x80) {
        this.#atStart = false;
        if (byte === colon) inserts.push({ index, what: mark });
      }
      if (
        github
          ? byte === bracket && this.#isOldCommand(bytes, index)
          : byte === colon && this.#isSection(bytes, index)
      )
        inserts.push({ index, what: gap });
    }
    this.#tail = this.#before(bytes, bytes.length);
    return inserts.length === 0 ? bytes : insertAll(bytes, inserts);
  }

  /** Looks at the two bytes alone: a chunk may be nothing but brackets. */
  #isOldCommand(bytes: Uint8Array, index: number): boolean {
    if (index < 2) return this.#before(bytes, index).endsWith("##");
    return bytes[index - 1] === hash && bytes[index - 2] === hash;
  }

  /** `section_start:` and `section_end:` end in different letters, few others look back. */
  #isSection(bytes: Uint8Array, index: number): boolean {
    const last = index === 0 ? this.#tail.charCodeAt(this.#tail.length - 1) : bytes[index - 1];
    return (
      (last === letterT || last === letterD) && /section_(?:start|end)$/.test(this.#before(bytes, index))
    );
  }

  #before(bytes: Uint8Array, index: number): string {
    const near = Buffer.from(bytes.subarray(Math.max(0, index - longestStart), index)).toString("latin1");
    return (this.#tail + near).slice(-longestStart);
  }
}

interface Insert {
  index: number;
  what: Uint8Array;
}

function insertAll(bytes: Uint8Array, inserts: readonly Insert[]): Uint8Array {
  const more = inserts.reduce((sum, { what }) => sum + what.length, 0);
  const out = Buffer.allocUnsafe(bytes.length + more);
  let from = 0;
  let at = 0;
  const copy = (end: number) => {
    for (; from < end; from++) out[at++] = bytes[from] ?? 0;
  };
  for (const { index, what } of inserts) {
    copy(index);
    for (const byte of what) out[at++] = byte;
  }
  copy(bytes.length);
  return out;
}

/** Does the same for a text that is printed by itself: an error message, a source excerpt, the result of `--call`. */
export function guardWorkflowCommands(text: string, reader: LogReader = "github"): string {
  return Buffer.from(new WorkflowGuard(reader).push(Buffer.from(text))).toString();
}
