import { start } from "./start.js";

const { fileURLToPath } = process.getBuiltinModule("node:url");

/** Begins the one bundled file, dist/slipway.mjs, which holds the program too. */
start(fileURLToPath(import.meta.url), "slipway");
