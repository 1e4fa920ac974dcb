import { Command } from "commander";
import { Builder, type BuilderContext, openBuilderContext, removeBuilders } from "../../builder/index.js";
import { InvalidArgumentError, SlipwayError, messageOf } from "../../core/index.js";
import type { CliContext, GlobalFlags } from "../cli-context.js";
import { confirm } from "../confirm.js";
import { duration } from "../flags.js";
import { loadBuilders } from "../load-builders.js";
import { warn } from "../warn.js";

interface RmFlags extends GlobalFlags {
  allInactive?: boolean;
  force?: boolean;
  keepDaemon?: boolean;
  keepState?: boolean;
  timeout: number;
}

const allInactiveWarning =
  "WARNING! This will remove all builders that are not in running state. Are you sure you want to continue?";

/** `slipway rm`: removes builders with their containers and, unless kept, their caches. */
export function command(context: CliContext): Command {
  return new Command("rm")
    .description("Remove one or more builder instances")
    .usage("[OPTIONS] [NAME...]")
    .argument("[names...]", "Builders, default the current one")
    .option("--all-inactive", "Remove all inactive builders")
    .option("-f, --force", "Do not prompt for confirmation")
    .option("--keep-daemon", "Keep the BuildKit daemon running")
    .option("--keep-state", "Keep BuildKit state")
    .option(
      "--timeout <duration>",
      "Override the default timeout for loading builder status",
      duration,
      20_000,
    )
    .action((names: string[], _flags: RmFlags, self: Command) => run(names, self.optsWithGlobals(), context));
}

async function run(names: string[], flags: RmFlags, context: CliContext): Promise<void> {
  const { env, signal } = context;
  const builders = await openBuilderContext({ env, signal, onWarning: (text) => warn(context, text) });
  const options = { keepState: flags.keepState ?? false, keepDaemon: flags.keepDaemon ?? false, signal };
  let chosen = names;
  if (flags.allInactive) {
    if (names.length > 0)
      throw new InvalidArgumentError("cannot specify builder name when --all-inactive is set");
    if (!flags.force && !(await confirm(context, allInactiveWarning))) return;
    chosen = await inactiveBuilders(builders, flags.timeout, context);
  } else if (names.length === 0) {
    chosen = [(await Builder.open({ name: flags.builder, env, signal })).name];
  }
  let failed = false;
  for (const [name, error] of await removeBuilders(builders, chosen, options)) {
    if (error) failed = true;
    context.stderr.text(error ? `failed to remove ${name}: ${messageOf(error)}\n` : `${name} removed\n`);
  }
  if (failed) throw new SlipwayError("BUILDER_REMOVE", "failed to remove one or more builders");
}

async function inactiveBuilders(
  builders: BuilderContext,
  timeout: number,
  context: CliContext,
): Promise<string[]> {
  const onWait = (text: string) => warn(context, text);
  const loaded = await loadBuilders(builders, { timeout, signal: context.signal, contexts: false, onWait });
  return loaded
    .filter(({ dynamic, nodes }) => !dynamic && !nodes.some(({ status }) => status === "running"))
    .map(({ name }) => name);
}
