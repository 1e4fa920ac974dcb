/** What stands in the place of a secret. */
const blank = "*****";

/** Shorter values are too common to be blanked: texts would fall apart. */
const shortest = 4;

/**
 * Keeps known secrets out of texts of our own: errors, log tails, debug output (SEC-16). The build's own output stays as the
 * builder sent it.
 */
export class Redactor {
  readonly #secrets = new Set<string>();

  /** From now on this value is blanked, also when it is part of a longer word. Values of several lines line by line. */
  add(secret: string | Uint8Array): void {
    const text = typeof secret === "string" ? secret : Buffer.from(secret).toString("utf8");
    for (const line of text.split(/\r?\n/))
      if (line.trim().length >= shortest) this.#secrets.add(line.trim());
  }

  /** The text without secrets, and without user names and passwords in URLs. */
  clean(text: string): string {
    let result = text.replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, `$1${blank}@`);
    for (const secret of this.#secrets)
      if (result.includes(secret)) result = result.replaceAll(secret, blank);
    return result;
  }
}
