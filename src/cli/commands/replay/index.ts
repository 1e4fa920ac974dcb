import { Command } from "commander";
import type { CliContext } from "../../cli-context.js";
import { buildCommand } from "./build.js";
import { snapshotCommand } from "./snapshot.js";
import { verifyCommand } from "./verify.js";

/** `slipway replay`: builds from their provenance (buildx v0.38 commands/replay). */
export function command(context: CliContext): Command {
  return new Command("replay")
    .description("Replay a build from its provenance")
    .usage("COMMAND")
    .addCommand(buildCommand(context))
    .addCommand(snapshotCommand(context))
    .addCommand(verifyCommand(context));
}
