import { start } from "./start.js";

const path = process.getBuiltinModule("node:path");

/**
 * Begins the installed command, dist/command.cjs: the same start, without Node's reading a module of the program's size first
 * (10 ms), and without its module loader (4 ms).
 */
start(path.join(__dirname, "slipway.mjs"), "slipway");
