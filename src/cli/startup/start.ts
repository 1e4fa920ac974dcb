import { type Face, runProgram } from "./run-program.js";

// As in run-program.ts.
const fs = process.getBuiltinModule("node:fs");
const { createRequire } = process.getBuiltinModule("node:module");

/**
 * What stands before the program in the bundled file, and after that its hash in so many digits (scripts/bundle.mjs). It is
 * looked for backwards from a place behind it: what starts the program has it as well, and is short.
 */
const mark = "\n/*slipway:program ";
const hashLength = 32;
const mostStart = 16_384;

/**
 * Runs the program of the bundled `file`: a CommonJS function in a comment at the file's end, with V8's code cache. As a
 * script of its own, since modules cannot be given a cache before Node 22, and in the same file as what starts it, so that
 * one file is all there is to install.
 */
export function start(file: string, face: Face): void {
  runProgram(face, () => {
    const content = fs.readFileSync(file, "latin1");
    const at = content.lastIndexOf(mark, mostStart) + mark.length;
    const hash = content.slice(at, at + hashLength);
    // A slice is no copy.
    const text = content.slice(at + hashLength, content.lastIndexOf("*/"));
    return { text, hash, require: createRequire(file) };
  });
}
