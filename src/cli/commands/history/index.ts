import { Command } from "commander";
import type { CliContext } from "../../cli-context.js";
import { exportCommand } from "./export.js";
import { importCommand } from "./import.js";
import { inspectCommand } from "./inspect.js";
import { logsCommand } from "./logs.js";
import { lsCommand } from "./ls.js";
import { openCommand } from "./open.js";
import { reportCommand } from "./report.js";
import { rmCommand } from "./rm.js";
import { traceCommand } from "./trace.js";

/** `slipway history`: what a builder remembers of its builds. */
export function command(context: CliContext): Command {
  const group = new Command("history").description("Commands to work on build records").usage("COMMAND");
  const commands = [
    exportCommand,
    importCommand,
    inspectCommand,
    logsCommand,
    lsCommand,
    openCommand,
    reportCommand,
    rmCommand,
    traceCommand,
  ];
  for (const create of commands) group.addCommand(create(context));
  return group;
}
