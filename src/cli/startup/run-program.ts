import { ModuleSet, codeCache } from "./code-cache.js";
import { quickAnswer } from "./quick-answer.js";

// Importing them would touch each of their names for the module's namespace, and so load streams and more.
const fs = process.getBuiltinModule("node:fs");
const { Script } = process.getBuiltinModule("node:vm");

/** By which name the program is called: what it is then, it exports under that name. */
export type Face = "slipway" | "docker";

/** The command as scripts/program.mjs makes it. */
export interface Program {
  /** Text of a CommonJS function. */
  text: string;
  hash: string;
  require: (id: string) => unknown;
  /** What V8 had compiled of it when it was put where it is. */
  compiled?: Uint8Array;
}

/** What the program's function puts into its module. */
type ProgramExports = Readonly<Record<Face, () => Promise<void>>>;

/** Caches of what does not build. */
const smallKinds: Readonly<Record<Face, string>> = { slipway: "small", docker: "docker" };

/**
 * Runs the program with V8's code cache, unless the answer is known without. Of the caches that a user has, one holds what
 * a build needs: it takes the small commands longer to read than it saves them. These have no other than what came with the
 * program, where something did.
 */
export function runProgram(face: Face, read: () => Program): void {
  const args = process.argv.slice(2);
  if (face === "slipway" && answered(args)) return;
  const { text, hash, require, compiled } = read();
  const kind = args.includes("build") || args.includes("b") ? "build" : smallKinds[face];
  const cache = compiled && kind !== "build" ? undefined : codeCache(`${hash}-${kind}`, process.env);
  const cached = cache?.read();
  const cachedData = cached?.data ?? compiled;
  // The cache keeps the name, and serves every installation of the same program: a path would be another's.
  const script = new Script(text, { filename: "slipway", ...(cachedData && { cachedData }) });
  const run = script.runInThisContext() as (
    require: unknown,
    module: { exports: ProgramExports; onModule: (module: number) => void },
    importModule: (href: string) => Promise<unknown>,
  ) => void;
  const used = new ModuleSet();
  const module = { exports: {} as ProgramExports, onModule: (number: number) => used.add(number) };
  if (cache)
    process.once("exit", () => {
      const modules = cached?.modules ?? new ModuleSet();
      // Another way of building, or another command, has functions of its own.
      if (modules.addAll(used) || !cached?.complete || script.cachedDataRejected)
        cache.write(script, modules);
    });
  run(require, module, (href) => import(href));
  void module.exports[face]();
}

/** Answers at once what needs no program. A stdout that does not take it is left to the program, which knows what to do. */
function answered(args: readonly string[]): boolean {
  const answer = quickAnswer(args);
  if (answer === undefined) return false;
  try {
    return fs.writeSync(1, answer) === answer.length;
  } catch {
    return false;
  }
}
