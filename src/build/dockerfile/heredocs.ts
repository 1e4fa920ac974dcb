/** A here-document that an instruction announces. */
export interface Heredoc {
  /** The line that ends it. */
  end: string;
  /** Whether tabs may stand before that line (`<<-`). */
  tabs: boolean;
}

/** Here-documents that the line of RUN, COPY or ADD announces, in order (BK frontend/dockerfile/parser heredocsFromLine). */
export function heredocsOf(line: string): Heredoc[] {
  if (!line.includes("<<")) return [];
  return shellWords(line).flatMap((word) => {
    const [, tabs, name = ""] = /^\d*<<(-?)\s*([^<]+)$/.exec(word) ?? [];
    const end = unquoted(name);
    return end === "" ? [] : [{ end, tabs: tabs === "-" }];
  });
}

/** Whether a line ends the document. */
export function isHeredocEnd(line: string, { end, tabs }: Heredoc): boolean {
  return (tabs ? line.replace(/^\t+/, "") : line) === end;
}

/** Words as the builder splits them, with their quotes, and with the blanks behind `<<`; none when a quote is left open. */
function shellWords(text: string): string[] {
  const found: string[] = [];
  let word = "";
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const letter = text.charAt(at);
    if (quote === "" && /\s/.test(letter)) {
      if (word !== "") found.push(word);
      word = "";
      continue;
    }
    word += letter;
    if (quote === "" && letter === "<" && text[at + 1] === "<") {
      word += text.charAt(++at);
      while (/[ \t\r]/.test(text.charAt(at + 1))) word += text.charAt(++at);
    } else if (letter === "\\" && quote !== "'") word += text.charAt(++at);
    else if (letter === quote) quote = "";
    else if (quote === "" && (letter === '"' || letter === "'")) quote = letter;
  }
  if (quote !== "") return [];
  return word === "" ? found : [...found, word];
}

/** A word without its quotes and escapes. */
function unquoted(word: string): string {
  return word.replace(/'([^']*)'|\\(.?)|"/gs, "$1$2");
}
