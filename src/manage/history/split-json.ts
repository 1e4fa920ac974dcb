/** Splits JSON values that follow each other into one text each, whatever stands between them. Takes linear time. */
export function splitJson(text: string): string[] {
  const values: string[] = [];
  let depth = 0;
  let from = 0;
  const marks = /["{}[\]]/g;
  for (let mark = marks.exec(text); mark; mark = marks.exec(text)) {
    const { index } = mark;
    if (mark[0] === '"') {
      // Strings whole, so that braces in them do not count. One without an end hides all that follows.
      marks.lastIndex = endOfString(text, index + 1);
    } else if (mark[0] === "{" || mark[0] === "[") {
      if (depth++ === 0) from = index;
    } else if (depth > 0 && --depth === 0) {
      values.push(text.slice(from, index + 1));
    }
  }
  return values;
}

function endOfString(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (char === "\\") at++;
    else if (char === '"') return at + 1;
  }
  return text.length;
}
