const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const colon = 0x3a;
const mark = Buffer.from("> ");

/**
 * Keeps bytes on their way to a GitHub Actions log from becoming workflow commands (SEC-33): `> ` is put before a colon
 * that would be the first visible character of a line. The runner ends lines at carriage returns too, and skips blanks;
 * bytes outside ASCII count as blanks here, since some of them are.
 */
export class WorkflowGuard {
  #atStart = true;

  push(bytes: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    let from = 0;
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index] ?? 0;
      if (byte === lineFeed || byte === carriageReturn) this.#atStart = true;
      else if (this.#atStart && byte > 0x20 && byte < 0x80) {
        this.#atStart = false;
        if (byte !== colon) continue;
        parts.push(bytes.subarray(from, index), mark);
        from = index;
      }
    }
    return parts.length === 0 ? bytes : Buffer.concat([...parts, bytes.subarray(from)]);
  }
}

/** The same for one text that is printed on its own: an error message, a source excerpt, the result of `--call`. */
export function guardWorkflowCommands(text: string): string {
  return Buffer.from(new WorkflowGuard().push(Buffer.from(text))).toString();
}
