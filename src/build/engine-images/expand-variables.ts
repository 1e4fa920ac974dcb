/** Variables within each other, at most: each level is read once more. */
const deepest = 16;

/**
 * Puts values in the place of a Dockerfile's variables: `$A`, `${A}`, `${A:-x}`, `${A-x}`, `${A:+x}`, `${A+x}`, `${A:?x}`, also
 * within each other. Undefined where that would leave something open: a variable without a value, a form that is not known.
 */
export function expandVariables(
  text: string,
  variables: ReadonlyMap<string, string>,
  depth = 0,
): string | undefined {
  if (depth > deepest) return undefined;
  let result = "";
  for (let at = 0; at < text.length;) {
    const dollar = text.indexOf("$", at);
    if (dollar < 0) return result + text.slice(at);
    result += text.slice(at, dollar);
    const plain = /^[A-Za-z_]\w*/.exec(text.slice(dollar + 1))?.[0];
    if (plain !== undefined) {
      const value = variables.get(plain);
      if (value === undefined) return undefined;
      result += value;
      at = dollar + 1 + plain.length;
      continue;
    }
    const end = text[dollar + 1] === "{" ? closingBrace(text, dollar + 2) : -1;
    const value = end < 0 ? undefined : inBraces(text.slice(dollar + 2, end), variables, depth + 1);
    if (value === undefined) return undefined;
    result += value;
    at = end + 1;
  }
  return result;
}

function inBraces(text: string, variables: ReadonlyMap<string, string>, depth: number): string | undefined {
  const match = /^([A-Za-z_]\w*)(?:(:?[-+?])(.*))?$/s.exec(text);
  if (!match) return undefined;
  const [, name = "", operator = "", word = ""] = match;
  const value = variables.get(name);
  const isSet = operator.startsWith(":") ? value !== undefined && value !== "" : value !== undefined;
  if (operator.endsWith("+")) return isSet ? expandVariables(word, variables, depth) : "";
  if (operator.endsWith("-")) return isSet ? value : expandVariables(word, variables, depth);
  return isSet ? value : undefined;
}

function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text[at] === "{") depth += 1;
    else if (text[at] === "}" && --depth === 0) return at;
  }
  return -1;
}
