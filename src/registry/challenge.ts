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

// By hand, since an expression for it tries a long run of blanks again from each of them.
function parseOne(text: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const skip = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? "";
    at += found.length;
    return found;
  };
  for (;;) {
    skip(blanks);
    if (text[at] === ",") at++;
    skip(blanks);
    const name = skip(token).toLowerCase();
    if (name === "") return challenges;
    // Either `name=value` of the challenge at hand or the scheme of the next.
    const end = at;
    skip(blanks);
    const current = challenges.at(-1);
    if (text[at] !== "=") {
      at = end;
      challenges.push({ scheme: name, parameters: new Map() });
    } else if (current) {
      at++;
      skip(blanks);
      const quoted = skip(quotedString);
      const value = quoted === "" ? skip(bareValue) : quoted.slice(1, -1).replace(/\\(.)/gs, "$1");
      current.parameters.set(name, value);
    } else {
      return challenges;
    }
  }
}

const blanks = /\s*/y;
const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]*/y;
const quotedString = /"(?:[^"\\]|\\.)*"/sy;
const bareValue = /[^\s,"]*/y;
