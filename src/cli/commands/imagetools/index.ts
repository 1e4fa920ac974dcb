import { Command } from "commander";
import type { CliContext } from "../../cli-context.js";
import { createCommand } from "./create.js";
import { inspectCommand } from "./inspect.js";

/** `slipway imagetools`: images of registries, without building. */
export function command(context: CliContext): Command {
  return new Command("imagetools")
    .description("Commands to work on images in registry")
    .usage("COMMAND")
    .addCommand(createCommand(context))
    .addCommand(inspectCommand(context));
}
