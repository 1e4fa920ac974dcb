import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { eventually } from "./workplace.js";

const run = promisify(execFile);

/** What a {@link TerminalWindow} begins with. */
export interface WindowOptions {
  /** Its program and arguments. */
  command: readonly string[];
  /** Undefined removes one. */
  env: Readonly<Record<string, string | undefined>>;
  /** Where the program's exit code is written to. */
  codeFile: string;
  columns: number;
  rows: number;
}

/** A tmux server of its own, with real terminals in it. */
export class Terminals {
  readonly #socket = `slipway-${randomBytes(4).toString("hex")}`;
  #count = 0;

  /** Whether there is a tmux on this machine. */
  static async available(): Promise<boolean> {
    return await run("tmux", ["-V"]).then(
      () => true,
      () => false,
    );
  }

  /** Opens a terminal with the text `before` on it, then what the program prints. */
  async open({ command, env, codeFile, columns, rows }: WindowOptions): Promise<TerminalWindow> {
    const all = Object.entries({ LANG: "C.UTF-8", ...env });
    const unset = all.filter(([, value]) => value === undefined).flatMap(([key]) => ["-u", key]);
    const set = all.filter(([, value]) => value !== undefined).map(([key, value]) => `${key}=${value}`);
    const quoted = (words: readonly string[]) =>
      words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    const program = quoted(["env", ...unset, ...set, ...command]);
    // The inner shell outlives its terminal, so that the exit code is known then as well; the outer one goes with it,
    // which is what tells the program. Keys that interrupt the program do not end the shells.
    const inner = `trap : HUP INT; echo before; ${program}; code=$?; trap '' INT; stty -a >'${codeFile}.stty' 2>&1; echo $code >'${codeFile}'; exec cat`;
    const script = `trap : INT; ${quoted(["sh", "-c", inner])}; :`;
    const name = `t${++this.#count}`;
    await this.tmux("new-session", "-d", "-s", name, "-x", String(columns), "-y", String(rows), script);
    return new TerminalWindow(this, name, codeFile);
  }

  async tmux(...args: string[]): Promise<string> {
    return (await run("tmux", ["-L", this.#socket, "-f", "/dev/null", ...args])).stdout;
  }

  async close(): Promise<void> {
    await this.tmux("kill-server").catch(() => {}); // ended with its last session
  }
}

/** One terminal and the program in it. */
export class TerminalWindow {
  readonly #terminals: Terminals;
  readonly #name: string;
  readonly #codeFile: string;

  constructor(terminals: Terminals, name: string, codeFile: string) {
    this.#terminals = terminals;
    this.#name = name;
    this.#codeFile = codeFile;
  }

  /** The program's exit code, once there is one. */
  async ended(): Promise<number> {
    await eventually(() => this.isOver());
    return Number(await this.#code());
  }

  async isOver(): Promise<boolean> {
    return (await this.#code()) !== "";
  }

  #code(): Promise<string> {
    return readFile(this.#codeFile, "utf8").catch(() => "");
  }

  /** What can be seen; `-e` as a flag gives colours too, `-S` and `-` before it what has left at the top. */
  screen(...flags: string[]): Promise<string> {
    return this.#terminals.tmux("capture-pane", "-p", "-t", this.#name, ...flags);
  }

  /** Resolves when the screen has it. */
  async shows(what: string | RegExp): Promise<void> {
    await eventually(async () => {
      const screen = await this.screen();
      return typeof what === "string" ? screen.includes(what) : what.test(screen);
    });
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#terminals.tmux("resize-window", "-t", this.#name, "-x", String(columns), "-y", String(rows));
  }

  async press(key: string): Promise<void> {
    await this.#terminals.tmux("send-keys", "-t", this.#name, key);
  }

  async cursorIsVisible(): Promise<boolean> {
    const flag = await this.#terminals.tmux("display-message", "-p", "-t", this.#name, "#{cursor_flag}");
    return flag.trim() === "1";
  }

  /** What the terminal is set to after the program has {@link ended}: `icanon`, `-echo` and so on. */
  async settings(): Promise<string[]> {
    return (await readFile(`${this.#codeFile}.stty`, "utf8")).split(/[\s;]+/);
  }

  /** Closes the terminal, whatever runs in it. */
  async close(): Promise<void> {
    await this.#terminals.tmux("kill-session", "-t", this.#name);
  }
}

/** The lines of a `screen("-e")`, each with the colour (SGR number) that it begins with: `34| => step`. */
export function colouredLines(screen: string): string[] {
  let colour = "";
  return screen.split("\n").map((line) => {
    let first: string | undefined;
    const text = line.replace(/\x1b\[([\d;]*)m|[^\x1b]+/g, (part, sgr: string | undefined) => {
      if (sgr === undefined) first ??= colour;
      else if (/^(?:3[0-7]|9[0-7]|38;.*)$/.test(sgr)) colour = sgr;
      else if (/^(?:0|39)?$/.test(sgr)) colour = "";
      return sgr === undefined ? part : "";
    });
    return `${first ?? ""}|${text.trimEnd()}`;
  });
}
