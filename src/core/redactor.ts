/** What stands in the place of a secret. */
const blank = "*****";

/** Shorter values are too common to be blanked: texts would fall apart. */
const shortest = 4;

/**
 * A name and its `=`. It is tried once a name only, at its first letter: without that, a long word costs its length squared,
 * and the texts come from outside.
 */
const assignment = /(?<![\w.-])[\w.-]+=/g;
/** Names of attributes (`type=s3,secret_access_key=…`) and variables whose values are secrets. */
const secretName = /password|secret|token|(?:access_key_id|account_key)=$/i;
/** Where a value ends: one in quotes at the next of the kind, any other at what parts attributes, words or query parts. */
const valueEnds = { '"': /["\n]/g, "'": /['\n]/g, "": /[\s,;&"'`]/g };

/** Where the part of a URL ends that may name a user. */
const authorityEnd = /[\s/"']/g;
const schemeLetter = /[a-z0-9+.-]/i;

/**
 * A text without what is a secret by its place alone: values of attributes that are known to hold one, user names and
 * passwords in URLs. A user name alone stays where it is a login (`ssh://user@host`), and goes where it may be a token.
 * Takes time in proportion to the text.
 */
export function blankSecrets(text: string): string {
  return blankUsers(blankValues(text));
}

function blankValues(text: string): string {
  let result = "";
  let done = 0;
  for (const { 0: name, index } of text.matchAll(assignment)) {
    if (index < done || !secretName.test(name)) continue;
    const start = index + name.length;
    // The quotes stand around the value, or, in a list as CSV has it, around the whole field.
    const around = quoteAt(text, start) || quoteAt(text, index - 1);
    const from = quoteAt(text, start) ? start + 1 : start;
    const quoted = indexFrom(text, valueEnds[around], from);
    const isClosed = around === "" || text[quoted] === around;
    const end = isClosed ? quoted : indexFrom(text, valueEnds[""], from);
    if (end === from) continue;
    result += text.slice(done, from) + blank;
    done = end;
  }
  return result + text.slice(done);
}

function quoteAt(text: string, index: number): '"' | "'" | "" {
  const letter = text[index];
  return letter === '"' || letter === "'" ? letter : "";
}

/** A text without user names and passwords in URLs. A password's own `@` does not end it: the last one before the path does. */
export function blankUsers(text: string): string {
  let result = "";
  let done = 0;
  for (let colon = text.indexOf("://"); colon >= 0; colon = text.indexOf("://", colon + 3)) {
    const from = colon + 3;
    const end = indexFrom(text, authorityEnd, from);
    const authority = text.slice(from, end);
    const at = authority.lastIndexOf("@");
    if (at < 0 || !schemeLetter.test(text[colon - 1] ?? "")) continue;
    const isLogin =
      /ssh$/i.test(text.slice(Math.max(0, colon - 3), colon)) && !authority.slice(0, at).includes(":");
    if (isLogin) continue;
    result += text.slice(done, from) + blank;
    done = from + at;
  }
  return result + text.slice(done);
}

/** Where the expression, which is global, next matches; the text's end if nowhere. */
function indexFrom(text: string, expression: RegExp, from: number): number {
  expression.lastIndex = from;
  return expression.exec(text)?.index ?? text.length;
}

/**
 * A value of JSON's kinds without what is a secret by its place: the text of a field whose name says so (`token`,
 * `build-arg:NPM_TOKEN`), user names and passwords in URLs.
 */
export function blankValue<T>(value: T, name = ""): T {
  if (typeof value === "string")
    return (value !== "" && secretName.test(`${name}=`) ? blank : blankUsers(value)) as T;
  if (Array.isArray(value)) return value.map((one: unknown) => blankValue(one)) as T;
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]: [string, unknown]) => [key, blankValue(one, key)]),
  ) as T;
}

/**
 * Keeps known secrets out of texts of our own: errors, log tails, debug output (SEC-16). The build's own output stays as the
 * builder sent it.
 */
export class Redactor {
  /** By their first letters, then by their length, so that many secrets cost little more than one. */
  readonly #secrets = new Map<string, Map<number, Set<string>>>();

  /** From now on this value is blanked, also when it is part of a longer word. Values of several lines line by line. */
  add(secret: string | Uint8Array): void {
    const text = typeof secret === "string" ? secret : Buffer.from(secret).toString("utf8");
    for (const line of text.split(/\r?\n/)) {
      const value = line.trim();
      if (value.length < shortest) continue;
      const head = value.slice(0, shortest);
      const alike = this.#secrets.get(head) ?? new Map<number, Set<string>>();
      this.#secrets.set(head, alike);
      alike.set(value.length, (alike.get(value.length) ?? new Set()).add(value));
    }
  }

  /** The text without the secrets that were added, and without what {@link blankSecrets} finds. */
  clean(text: string): string {
    if (this.#secrets.size === 0) return blankSecrets(text);
    let result = "";
    let done = 0;
    for (let index = 0; index + shortest <= text.length; index++) {
      const end = this.#endAt(text, index);
      if (end <= done) continue;
      // Secrets that overlap are one blank.
      if (index >= done) result += text.slice(done, index) + blank;
      done = end;
    }
    return blankSecrets(result + text.slice(done));
  }

  /** Where the longest secret ends that begins here; 0 if none does. */
  #endAt(text: string, index: number): number {
    let end = 0;
    for (const [length, secrets] of this.#secrets.get(text.slice(index, index + shortest)) ?? [])
      if (index + length > end && secrets.has(text.slice(index, index + length))) end = index + length;
    return end;
  }
}
