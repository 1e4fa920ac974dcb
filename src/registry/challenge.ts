/** What a registry asks for with 401. */
export interface Challenge {
  /** `basic`, `bearer`, … in lower case. */
  scheme: string;
  /** Parameters by lower-case name: `realm`, `service`, `scope`, `error`. */
  parameters: ReadonlyMap<string, string>;
}

/**
 * The challenges of `WWW-Authenticate` values, in their order (RFC 9110 11.6.1). Malformed parts end a challenge; hostile
 * input yields less, never an error.
 */
export function parseChallenges(values: readonly string[]): Challenge[] {
  return values.flatMap(parseOne);
}

function parseOne(text: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  // Either `name=value` of the challenge at hand or the scheme of the next.
  const pattern = /\s*,?\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/sy;
  for (;;) {
    const match = pattern.exec(text);
    if (!match) return challenges;
    const [, name = "", quoted, bare] = match;
    const value = quoted?.replace(/\\(.)/gs, "$1") ?? bare;
    const current = challenges.at(-1);
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
    else if (current) current.parameters.set(name.toLowerCase(), value);
    else return challenges;
  }
}
