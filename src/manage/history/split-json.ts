/** Splits JSON values that follow each other into one text each, whatever stands between them. */
export function splitJson(text: string): string[] {
  const values: string[] = [];
  let depth = 0;
  let from = 0;
  // Strings whole, so that braces in them do not count.
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/gs)) {
    if (token === "{" || token === "[") {
      if (depth++ === 0) from = index;
    } else if (token === "}" || token === "]") {
      if (--depth === 0) values.push(text.slice(from, index + 1));
    }
  }
  return values;
}
