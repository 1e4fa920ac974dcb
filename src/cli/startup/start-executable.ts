import { runProgram } from "./run-program.js";

const sea = process.getBuiltinModule("node:sea");
const { createRequire } = process.getBuiltinModule("node:module");

/** Hash of the program, put in by scripts/executable.mjs. */
declare const SLIPWAY_CODE_KEY: string;

/** Begins the single executable, which scripts/executable.mjs has given the program and what V8 made of it. */
runProgram("slipway", () => ({
  text: Buffer.from(sea.getRawAsset("program") as ArrayBuffer).toString("latin1"),
  hash: SLIPWAY_CODE_KEY,
  // Optional packages may lie beside it, in node_modules.
  require: (id) => process.getBuiltinModule(id) ?? createRequire(process.execPath)(id),
  compiled: new Uint8Array(sea.getRawAsset("compiled") as ArrayBuffer),
}));
