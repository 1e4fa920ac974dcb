import { runProgram } from "./run-program.js";

// As in run-program.ts.
const fs = process.getBuiltinModule("node:fs");
const { createRequire } = process.getBuiltinModule("node:module");

/** What stands before the program in the bundled file, and after that its hash in so many digits (scripts/bundle.mjs). */
const mark = "\n/*slipway:program ";
const hashLength = 32;

/**
 * Runs the program of the bundled `file`: a CommonJS function in a comment at the file's end, with V8's code cache. As a
 * script of its own, since modules cannot be given a cache before Node 22, and in the same file as what starts it, so that
 * one file is all there is to install.
 */
export function start(file: string): void {
  runProgram(() => {
    const content = fs.readFileSync(file, "latin1");
    const at = content.lastIndexOf(mark) + mark.length;
    const hash = content.slice(at, at + hashLength);
    const text = content.slice(at + hashLength, content.lastIndexOf("*/")).replaceAll("*\x01/", "*/");
    return { text, hash, require: createRequire(file) };
  });
}
