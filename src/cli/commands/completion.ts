import { Command } from "commander";
import type { CliContext } from "../cli-context.js";
import { scripts } from "../completion/scripts.js";

/** `slipway completion SHELL`: prints what a shell needs to complete command lines. */
export function command(context: CliContext): Command {
  const command = new Command("completion").description(
    "Generate the autocompletion script for slipway for the specified shell.\nSee each sub-command's help for details on how to use the generated script.",
  );
  for (const [shell, script] of Object.entries(scripts))
    command
      .command(shell)
      .description(`Generate the autocompletion script for ${shell}`)
      .usage(" ")
      .action(() => void context.stdout.write(script));
  return command;
}
