import { codeCache } from "./code-cache.js";

// Importing them would touch each of their names for the module's namespace, and so load streams and more.
const fs = process.getBuiltinModule("node:fs");
const { createRequire } = process.getBuiltinModule("node:module");
const { fileURLToPath } = process.getBuiltinModule("node:url");
const { Script } = process.getBuiltinModule("node:vm");

/** Hash of the program's text, put in by scripts/bundle.mjs. */
declare const SLIPWAY_CODE_KEY: string;
/** Where the program begins in the bundled file. */
const mark = "\n/*slipway:program\n";

/**
 * What the bundled file runs first: takes the program, which is a CommonJS function in a comment at the file's end, and runs
 * it with V8's code cache. As a script of its own, since ES modules cannot be given a cache before Node 22, and in the same
 * file, so that one file is all there is to install.
 */
const file = fileURLToPath(import.meta.url);
const text = fs.readFileSync(file, "latin1");
const program = text
  .slice(text.lastIndexOf(mark) + mark.length, text.lastIndexOf("*/"))
  .replaceAll("*\x01/", "*/");
// Two caches: one that holds what a build needs takes the small commands longer to read than it saves them.
const args = process.argv.slice(2);
const kind = args.includes("build") || args.includes("b") ? "build" : "small";
const cache = codeCache(`${SLIPWAY_CODE_KEY}-${kind}`, process.env);
const cached = cache.read();
const script = new Script(program, { filename: file, ...(cached && { cachedData: cached.data }) });
const run = script.runInThisContext() as (require: NodeJS.Require, module: { exports: unknown }) => void;
if (!cached?.complete || script.cachedDataRejected) process.once("exit", () => cache.write(script));
run(createRequire(import.meta.url), { exports: {} });
