import { start } from "./start.js";

const path = process.getBuiltinModule("node:path");

/** Begins the installed `slipway-docker`, dist/docker.cjs: the same program by its other face. */
start(path.join(__dirname, "slipway.mjs"), "docker");
