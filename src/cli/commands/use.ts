import { Command } from "commander";
import { openBuilderContext, useBuilder } from "../../builder/index.js";
import type { CliContext } from "../cli-context.js";
import { warn } from "../warn.js";

/** `slipway use`: chooses the current builder. */
export function command(context: CliContext): Command {
  return new Command("use")
    .description("Set the current builder instance")
    .usage("[OPTIONS] NAME")
    .argument("<name>", "Builder")
    .option("--default", "Set builder as default for current context")
    .option("--global", "Builder persists context changes")
    .action(async (name: string, flags: { default?: boolean; global?: boolean }) => {
      const builders = await openBuilderContext({
        env: context.env,
        signal: context.signal,
        onWarning: (text) => warn(context, text),
      });
      await useBuilder(builders.store, {
        ...builders,
        name,
        global: flags.global ?? false,
        default: flags.default ?? false,
        signal: context.signal,
      });
    });
}
