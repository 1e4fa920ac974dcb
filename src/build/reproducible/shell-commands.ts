/** A simple command of a shell script. */
export interface ShellCommand {
  /** Without variables that are set for it, and programs that only run others. */
  words: string[];
  /** Where it begins in the script. */
  at: number;
}

/** Programs whose operand is the command. */
const runners = new Set([
  "sudo",
  "exec",
  "time",
  "env",
  "command",
  "nice",
  "nohup",
  "xargs",
  "if",
  "then",
  "else",
  "elif",
  "while",
  "until",
  "do",
  "!",
  "{",
]);
const shells = new Set(["sh", "bash", "ash", "dash", "zsh"]);
/** Shells within shells, at most. */
const deepest = 4;

/** The simple commands of a script, also those in `$(…)`, and of `sh -c "…"`. As much of a shell as tells what is run. */
export function shellCommands(script: string, depth = 0): ShellCommand[] {
  return new ShellScan(script, depth).commands();
}

/** Reads a script from its beginning to its end. */
class ShellScan {
  readonly #script: string;
  readonly #depth: number;
  readonly #commands: ShellCommand[] = [];
  #words: string[] = [];
  #word: string | undefined;
  #begin = 0;
  #quote = "";
  /** What is open: how it ends, and in which quotes it stands. */
  readonly #open: { end: string; quote: string }[] = [];

  constructor(script: string, depth: number) {
    this.#script = script;
    this.#depth = depth;
  }

  commands(): ShellCommand[] {
    for (let at = 0; at < this.#script.length; at++) at = this.#take(at);
    this.#endCommand();
    return this.#commands;
  }

  /** Takes what stands at a place, and gives where it ends. */
  #take(at: number): number {
    const char = this.#script[at] ?? "";
    const next = this.#script[at + 1] ?? "";
    if (this.#quote === "'") return this.#quoted(char, at);
    if (char === "\\") {
      this.#add(next, at);
      return at + 1;
    }
    if (char === "`" && this.#open.at(-1)?.end === "`") return this.#leave(at);
    if (char === "`") return this.#enter("`", at);
    if (char === "$" && next === "(") return this.#enter(")", at + 1);
    if (this.#quote !== "") return this.#quoted(char, at);
    if (char === "(") return this.#enter(")", at);
    if (char === ")") return this.#leave(at);
    if (char === "'" || char === '"') {
      this.#quote = char;
      this.#add("", at);
    } else if (/[;&|\n]/.test(char)) this.#endCommand();
    else if (/\s/.test(char)) this.#endWord();
    else this.#add(char, at);
    return at;
  }

  #quoted(char: string, at: number): number {
    if (char === this.#quote) this.#quote = "";
    else this.#add(char, at);
    return at;
  }

  #enter(end: string, at: number): number {
    this.#endCommand();
    this.#open.push({ end, quote: this.#quote });
    this.#quote = "";
    return at;
  }

  #leave(at: number): number {
    this.#endCommand();
    this.#quote = this.#open.pop()?.quote ?? "";
    return at;
  }

  #add(text: string, at: number): void {
    if (this.#word === undefined && this.#words.length === 0) this.#begin = at;
    this.#word = (this.#word ?? "") + text;
  }

  #endWord(): void {
    if (this.#word !== undefined) this.#words.push(this.#word);
    this.#word = undefined;
  }

  #endCommand(): void {
    this.#endWord();
    this.#commands.push(...commandsOf({ words: this.#words, at: this.#begin }, this.#depth));
    this.#words = [];
  }
}

function commandsOf({ words, at }: ShellCommand, depth: number): ShellCommand[] {
  let first = 0;
  while (first < words.length && (isAssignment(words[first]) || runners.has(words[first] ?? ""))) first++;
  const rest = words.slice(first);
  const [program = ""] = rest;
  if (program === "") return [];
  const name = program.slice(program.lastIndexOf("/") + 1);
  const script = shells.has(name) ? rest[rest.findIndex((word) => /^-[a-z]*c$/.test(word)) + 1] : undefined;
  if (script !== undefined && script !== program && depth < deepest)
    return shellCommands(script, depth + 1).map((inner) => ({ ...inner, at }));
  return [{ words: [name, ...rest.slice(1)], at }];
}

function isAssignment(word = ""): boolean {
  return /^[A-Za-z_]\w*=/.test(word);
}
