// What the other command, src/docker-cli, has in common with this one.
export {
  type ProgramName,
  type ReadArguments,
  checkOperands,
  readArguments,
  usageLine,
} from "./arguments/index.js";
export { type CliContext, type CliProcess, ExitCode } from "./cli-context.js";
export { forgetClosedTerminal } from "./closed-terminal.js";
export { type CommandEntry, commandTable } from "./command-table.js";
export { confirm } from "./confirm.js";
export { dockerFlags, withDockerFlags } from "./docker-flags.js";
export { endProcess } from "./end-process.js";
export { collect, duration } from "./flags.js";
export {
  type FormatRow,
  type FormatRowsOptions,
  Template,
  TemplateError,
  printRows,
} from "./format/index.js";
export type { OutputStream } from "./printer.js";
export { Printer } from "./printer.js";
export { proxyStdio } from "./proxy-stdio.js";
export { readInput } from "./read-input.js";
export { runCommand } from "./run-command.js";
export { version } from "./version.js";
export { warn } from "./warn.js";
export { brokenPipeCode, watchOutput } from "./watch-output.js";
export { type SignalWatch, watchSignals } from "./watch-signals.js";
export { type OutputWriter, prepareOutput } from "./write-output.js";
