export { checkOperands, usageLine } from "./check-operands.js";
export { findName, isSwitch } from "./find-command.js";
export { type ProgramName, ownName } from "./program-name.js";
export { type ReadArguments, readArguments } from "./read-arguments.js";
