import { Command } from "commander";
import { pluginVersionLine, versionLine } from "../version.js";
import type { CliContext } from "../cli-context.js";

/** `slipway version`. */
export function command(context: CliContext): Command {
  return new Command("version")
    .description("Show slipway version information")
    .usage(" ")
    .action(() => context.stdout.text(context.isPlugin ? pluginVersionLine : versionLine));
}
