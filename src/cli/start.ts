import fs from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";
import { codeCache } from "./code-cache.js";

/** Hash of the program's text, put in by scripts/bundle.mjs. */
declare const SLIPWAY_CODE_KEY: string;
/** Where the program begins in the bundled file. */
const mark = "\n/*slipway:program\n";

/**
 * What the bundled file runs first: takes the program, which is a CommonJS function in a comment at the file's end, and runs
 * it with V8's code cache. As a script of its own, since ES modules cannot be given a cache before Node 22, and in the same
 * file, so that one file is all there is to install.
 */
// undici's HTTP parser is WebAssembly, which V8 optimizes as soon as it has read some headers: 70 ms of processor time that
// no command of ours gets back. Flags unknown to V8 are complained about on stderr, so only versions that were tried have it.
const major = Number(process.versions.node.split(".", 1));
if (major >= 20 && major <= 24) setFlagsFromString("--wasm-tiering-budget=1000000000");

const file = fileURLToPath(import.meta.url);
const text = fs.readFileSync(file, "latin1");
const program = text
  .slice(text.lastIndexOf(mark) + mark.length, text.lastIndexOf("*/"))
  .replaceAll("*\x01/", "*/");
// Two caches: one that holds what a build needs takes the small commands longer to read than it saves them.
const args = process.argv.slice(2);
const kind = args.includes("build") || args.includes("b") ? "build" : "small";
const cache = codeCache(`${SLIPWAY_CODE_KEY}-${kind}`, process.env);
const cachedData = cache.read();
const script = new Script(program, { filename: file, ...(cachedData && { cachedData }) });
const run = script.runInThisContext() as (require: NodeJS.Require, module: { exports: unknown }) => void;
if (!cachedData || script.cachedDataRejected) process.once("exit", () => cache.write(script));
run(createRequire(import.meta.url), { exports: {} });
