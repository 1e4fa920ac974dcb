import { frontendOf } from "../dockerfile/directives.js";
import { type Instruction, placeAt, readInstructions } from "../dockerfile/instructions.js";
import { declareArguments } from "../engine-images/base-images.js";
import { unreproducibleCommands } from "./command-rules.js";
import { shellCommands } from "./shell-commands.js";
import { expandVariables } from "../engine-images/expand-variables.js";
import { isGitUrl } from "../remote-url.js";

/** Something in a Dockerfile by which the same build may give another image. */
export interface Unreproducible {
  /** From 1. */
  line: number;
  why: string;
}

/** What is known of a build besides its Dockerfile. */
export interface LookedAt {
  args?: ReadonlyMap<string, string>;
  /** Names that contexts stand for. */
  contexts?: ReadonlySet<string>;
}

/** More than these tell nothing new. */
const mostFound = 100;

/** What of a Dockerfile cannot be the same next time, as far as its text tells, in the order of lines. */
export function findUnreproducible(dockerfile: string, known: LookedAt = {}): Unreproducible[] {
  const look = new Look(known);
  look.frontend(dockerfile);
  for (const instruction of readInstructions(dockerfile)) look.at(instruction);
  return look.found.sort((a, b) => a.line - b.line).slice(0, mostFound);
}

class Look {
  readonly found: Unreproducible[] = [];
  readonly #stages = new Set<string>(["scratch"]);
  readonly #variables = new Map<string, string>();
  readonly #args: ReadonlyMap<string, string>;
  readonly #contexts: ReadonlySet<string>;
  #isGlobal = true;

  constructor({ args = new Map(), contexts = new Set() }: LookedAt) {
    this.#args = args;
    this.#contexts = contexts;
  }

  frontend(dockerfile: string): void {
    const { image, line } = frontendOf(dockerfile) ?? {};
    if (image !== undefined && line !== undefined) this.#image(image, line, "the frontend");
  }

  at(instruction: Instruction): void {
    const { line } = placeAt(instruction, 0);
    const words = instruction.line.trim().split(/\s+/);
    const plain = words.filter((word) => !word.startsWith("--"));
    switch (instruction.word) {
      case "ARG":
        if (this.#isGlobal) declareArguments(instruction.line, this.#variables, this.#args);
        break;
      case "FROM":
        this.#isGlobal = false;
        this.#image(plain[0] ?? "", line, "the base image");
        if (plain[1]?.toLowerCase() === "as") this.#stages.add((plain[2] ?? "").toLowerCase());
        break;
      case "COPY":
        this.#from(words, line);
        break;
      case "ADD":
        this.#from(words, line);
        for (const source of plain.slice(0, -1)) this.#download(source, words, line);
        break;
      case "RUN":
        this.#from(words, line);
        this.#run(instruction);
    }
  }

  #run(instruction: Instruction): void {
    const text = scriptOf(instruction.text);
    const isList = text !== instruction.text;
    for (const { at, why } of unreproducibleCommands({ text, commands: shellCommands(text) }))
      this.found.push({ line: placeAt(instruction, isList ? 0 : at).line, why });
  }

  /** `--from=` of COPY, and `from=` of a mount. */
  #from(words: readonly string[], line: number): void {
    for (const word of words) {
      if (!word.startsWith("--")) break;
      const name = word.startsWith("--from=")
        ? word.slice("--from=".length)
        : word.startsWith("--mount=")
          ? /[=,]from=([^,]+)/.exec(word)?.[1]
          : undefined;
      // A number is a stage.
      if (name !== undefined && !/^\d+$/.test(name)) this.#image(name, line, "the image");
    }
  }

  #image(written: string, line: number, what: string): void {
    const name = expandVariables(written.replace(/^(["'])(.*)\1$/, "$2"), this.#variables) ?? written;
    if (name === "" || this.#stages.has(name.toLowerCase()) || this.#contexts.has(name)) return;
    if (name.includes("@sha256:") || name.includes("@sha512:")) return;
    this.found.push({ line, why: `${what} ${name} has no digest, and may be another one another day` });
  }

  #download(source: string, words: readonly string[], line: number): void {
    if (words.some((word) => word.startsWith("--checksum="))) return;
    if (isGitUrl(source)) {
      const isCommit = /(?:#|[?&](?:checksum|commit|ref)=)[0-9a-f]{40}(?:[0-9a-f]{24})?(?:[:&#]|$)/.test(
        source,
      );
      if (!isCommit)
        this.found.push({
          line,
          why: `${source} is what the branch is at the time; name a commit, or --checksum=COMMIT`,
        });
    } else if (/^https?:\/\//.test(source))
      this.found.push({
        line,
        why: `${source} is what the server has at the time; --checksum=sha256:… holds it`,
      });
  }
}

/** What a RUN instruction runs: its text without flags, or its list of words. */
function scriptOf(text: string): string {
  // Blanks keep places where they are.
  const script = text.replace(/^(?:\s*--[a-z-]+=\S+)+/, (flags) => " ".repeat(flags.length));
  if (!script.trimStart().startsWith("[")) return script;
  try {
    const words = JSON.parse(script) as unknown[];
    return words.map((word) => quoted(String(word))).join(" ");
  } catch {
    return script;
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
