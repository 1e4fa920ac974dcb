import { Command } from "commander";
import { version } from "../version.js";
import type { CliContext } from "../cli-context.js";

/** `slipway version`: package, version and revision, as buildx prints them. */
export function command(context: CliContext): Command {
  return new Command("version")
    .description("Show slipway version information")
    .usage(" ")
    .action(() => void context.stdout.write(`slipway ${version.text} ${version.revision}\n`));
}
