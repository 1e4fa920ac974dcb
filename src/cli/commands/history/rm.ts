import { Command } from "commander";
import { InvalidArgumentError } from "../../../core/index.js";
import type { CliContext, GlobalFlags } from "../../cli-context.js";
import { withHistory } from "./with-history.js";

interface RmFlags extends GlobalFlags {
  all?: boolean;
}

/** `slipway history rm`: makes a builder forget builds. */
export function rmCommand(context: CliContext): Command {
  return new Command("rm")
    .description("Remove build records")
    .usage("[OPTIONS] [REF...]")
    .argument("[refs...]", "Builds")
    .option("--all", "Remove all build records")
    .action((refs: string[], _flags: RmFlags, self: Command) => run(refs, self.optsWithGlobals(), context));
}

async function run(refs: readonly string[], flags: RmFlags, context: CliContext): Promise<void> {
  const { signal } = context;
  if (refs.length === 0 && !flags.all) throw new InvalidArgumentError("rm requires at least one argument");
  if (refs.length > 0 && flags.all)
    throw new InvalidArgumentError("rm requires either --all or at least one argument");
  await withHistory(context, flags, (builds) =>
    flags.all ? builds.removeAll({ signal }) : builds.remove(refs, { signal }),
  );
}
