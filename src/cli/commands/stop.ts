import { Command } from "commander";
import { Builder } from "../../builder/index.js";
import type { CliContext, GlobalFlags } from "../cli-context.js";
import { warn } from "../warn.js";

/** `slipway stop`: stops the nodes of a builder; its cache stays. */
export function command(context: CliContext): Command {
  return new Command("stop")
    .description("Stop builder instance")
    .usage("[NAME]")
    .argument("[name]", "Builder, default the current one")
    .action(async (name: string | undefined, _flags: object, self: Command) => {
      const { env, signal } = context;
      const flags = self.optsWithGlobals<GlobalFlags>();
      const builder = await Builder.open({
        name: name ?? flags.builder,
        env,
        signal,
        onWarning: (text) => warn(context, text),
      });
      await builder.stop({ signal });
    });
}
