/** What stands in the place of a secret. */
const blank = "*****";

/** Shorter values are too common to be blanked: texts would fall apart. */
const shortest = 4;

/** Names of attributes (`type=s3,secret_access_key=…`) and variables whose values are secrets. */
const secretAttribute =
  /\b((?:[\w.-]*(?:password|secret|token)[\w.-]*|access_key_id|account_key)=)[^\s,;&"'`]+/gi;

/** User names and passwords in URLs. */
const userInfo = /\b([a-z][a-z0-9+.-]*:\/\/)([^\s/@"':]*)(:[^\s/@"']*)?@/gi;

/**
 * A text without what is a secret by its place alone: values of attributes that are known to hold one, user names and
 * passwords in URLs. A user name alone stays where it is a login (`ssh://user@host`), and goes where it may be a token.
 */
export function blankSecrets(text: string): string {
  return text
    .replace(secretAttribute, `$1${blank}`)
    .replace(userInfo, (whole, scheme: string, _user, password: string | undefined) =>
      password === undefined && scheme.toLowerCase() === "ssh://" ? whole : `${scheme}${blank}@`,
    );
}

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

  /** The text without the secrets that were added, and without what {@link blankSecrets} finds. */
  clean(text: string): string {
    let result = blankSecrets(text);
    for (const secret of this.#secrets)
      if (result.includes(secret)) result = result.replaceAll(secret, blank);
    return result;
  }
}
