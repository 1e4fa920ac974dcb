import { codeCache } from "./code-cache.js";
import { quickAnswer } from "./quick-answer.js";

// Importing them would touch each of their names for the module's namespace, and so load streams and more.
const fs = process.getBuiltinModule("node:fs");
const { createRequire } = process.getBuiltinModule("node:module");
const { Script } = process.getBuiltinModule("node:vm");

/** What stands before the program in the bundled file, and after that its hash in so many digits (scripts/bundle.mjs). */
const mark = "\n/*slipway:program ";
const hashLength = 32;

/**
 * Runs the program of the bundled `file`: a CommonJS function in a comment at the file's end, with V8's code cache. As a
 * script of its own, since modules cannot be given a cache before Node 22, and in the same file as what starts it, so that
 * one file is all there is to install.
 */
export function start(file: string): void {
  const args = process.argv.slice(2);
  if (answered(args)) return;
  const text = fs.readFileSync(file, "latin1");
  const at = text.lastIndexOf(mark) + mark.length;
  const hash = text.slice(at, at + hashLength);
  const program = text.slice(at + hashLength, text.lastIndexOf("*/")).replaceAll("*\x01/", "*/");
  // Two caches: one that holds what a build needs takes the small commands longer to read than it saves them.
  const kind = args.includes("build") || args.includes("b") ? "build" : "small";
  const cache = codeCache(`${hash}-${kind}`, process.env);
  const cached = cache.read();
  const script = new Script(program, { filename: file, ...(cached && { cachedData: cached.data }) });
  const run = script.runInThisContext() as (require: NodeJS.Require, module: { exports: unknown }) => void;
  if (!cached?.complete || script.cachedDataRejected) process.once("exit", () => cache.write(script));
  run(createRequire(file), { exports: {} });
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
