import { Command, Option } from "commander";
import { invokeOptions } from "../build-flags.js";
import type { CliContext } from "../cli-context.js";
import { buildCommand } from "./build.js";

/** `slipway debug [--invoke CMD] [--on always|error] build …`: a build that a shell is opened in (buildx v0.38 commands/debug.go). */
export function command(context: CliContext): Command {
  const command = new Command("debug").description("Start debugger");
  // Of the build, before whose name they may stand as well.
  for (const [flags, description] of invokeOptions) command.addOption(new Option(flags, description));
  return command.addCommand(buildCommand(context, { isDebug: true }));
}
