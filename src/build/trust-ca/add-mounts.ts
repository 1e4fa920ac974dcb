/**
 * A Dockerfile with `mounts` put behind the name of each RUN instruction, on the same line, so that all lines keep their numbers.
 * Triggers (ONBUILD) stay as they are: they would carry the mounts into the image.
 */
export function addMounts(dockerfile: string, mounts: string): string {
  const lines = dockerfile.split("\n");
  const escape = escapeOf(lines);
  const heredocs: { end: string; tabs: boolean }[] = [];
  let isContinued = false;
  let command = "";
  return lines
    .map((line) => {
      const [heredoc] = heredocs;
      if (heredoc) {
        const text = line.replace(/\r$/, "");
        if ((heredoc.tabs ? text.replace(/^\t+/, "") : text) === heredoc.end) heredocs.shift();
        return line;
      }
      const trimmed = line.trim();
      // Comments and empty lines may stand between the lines of an instruction.
      if (trimmed.startsWith("#") || trimmed === "") return line;
      const first = /^(\s*)(\S+)(.*)$/s.exec(line);
      const isFirst = !isContinued;
      if (isFirst) command = "";
      isContinued = trimmed.endsWith(escape);
      command += `${isContinued ? trimmed.slice(0, -1) : trimmed} `;
      if (!isContinued) heredocs.push(...heredocsOf(command));
      if (!isFirst || first?.[2]?.toUpperCase() !== "RUN") return line;
      return `${first[1]}${first[2]} ${mounts}${first[3]}`;
    })
    .join("\n");
}

/** The `# escape=` among the directives that a Dockerfile begins with. */
function escapeOf(lines: readonly string[]): string {
  for (const line of lines) {
    const text = line.trim();
    if (!text.startsWith("#")) break;
    const [, key = "", value] = /^#\s*([a-z]+)\s*=\s*(\S+)/i.exec(text) ?? [];
    if (key.toLowerCase() === "escape") return value ?? "\\";
    if (key === "") break;
  }
  return "\\";
}

/** Here-documents that an instruction announces, in order (BK frontend/dockerfile/parser heredocsFromLine). */
function heredocsOf(command: string): { end: string; tabs: boolean }[] {
  if (!/^(?:ONBUILD\s+)?(?:RUN|COPY|ADD)\s/i.test(command)) return [];
  return words(command).flatMap((word) => {
    const [, tabs, name = ""] = /^\d*<<(-?)([^<]+)$/.exec(word) ?? [];
    const end = /^(["']).*\1$/s.test(name) ? name.slice(1, -1) : name;
    return end === "" ? [] : [{ end, tabs: tabs === "-" }];
  });
}

/** Words as a shell splits them, with their quotes. */
function words(text: string): string[] {
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
    if (letter === "\\" && quote !== "'") word += text.charAt(++at);
    else if (letter === quote) quote = "";
    else if (quote === "" && (letter === '"' || letter === "'")) quote = letter;
  }
  return word === "" ? found : [...found, word];
}
