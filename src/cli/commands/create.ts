import { Command, Option } from "commander";
import {
  Builder,
  createBuilder,
  leaveBuilder,
  openBuilderContext,
  parseDriverOptFlags,
} from "../../builder/index.js";
import { connectMode } from "../../driver/index.js";
import { display } from "../../progress/index.js";
import type { CliContext, GlobalFlags } from "../cli-context.js";
import { collect, duration } from "../flags.js";
import { warn } from "../warn.js";

interface CreateFlags extends GlobalFlags {
  append?: boolean;
  bootstrap?: boolean;
  buildkitdConfig?: string;
  /** Old name of `--buildkitd-config`. */
  config?: string;
  buildkitdFlags?: string;
  connect?: string;
  driver?: string;
  driverOpt?: string[];
  leave?: boolean;
  name?: string;
  node?: string;
  platform?: string[];
  timeout: number;
  trustCa?: string;
  use?: boolean;
}

/** `slipway create`: makes a builder, adds or takes away a node. */
export function command(context: CliContext): Command {
  return new Command("create")
    .description("Create a new builder instance")
    .usage("[OPTIONS] [CONTEXT|ENDPOINT]")
    .argument("[endpoint]", "Docker context or engine of the builder, or the daemon's address")
    .option("--append", "Append a node to builder instead of changing it")
    .option("--bootstrap", "Boot builder after creation")
    .option("--buildkitd-config <string>", "BuildKit daemon config file")
    .option("--buildkitd-flags <string>", "BuildKit daemon flags")
    .addOption(new Option("--config <string>").hideHelp())
    .option("--connect <string>", "How to reach the daemon: auto, exec or socket")
    .option("--driver <string>", 'Driver to use (available: "docker-container", "kubernetes", "remote")')
    .option("--driver-opt <stringArray>", "Options for the driver", collect)
    .option("--leave", "Remove a node from builder instead of changing it")
    .option("--name <string>", "Builder instance name")
    .option("--node <string>", "Create/modify node with given name")
    .option("--platform <stringArray>", "Fixed platforms for current node", collect)
    .option(
      "--timeout <duration>",
      "Override the default timeout for loading builder status",
      duration,
      20_000,
    )
    .option("--trust-ca <file>", "Authorities that the daemon trusts besides the public ones (PEM)")
    .option("--use", "Set the current builder instance")
    .action((endpoint: string | undefined, flags: CreateFlags) => run(endpoint, flags, context));
}

async function run(endpoint: string | undefined, flags: CreateFlags, context: CliContext): Promise<void> {
  const { env, signal } = context;
  const builders = await openBuilderContext({ env, signal, onWarning: (text) => warn(context, text) });
  if (flags.leave) {
    await leaveBuilder(builders, { name: flags.name, node: flags.node, signal });
    return;
  }
  const { group, needsRestart } = await createBuilder(builders, {
    name: flags.name,
    driver: flags.driver,
    node: flags.node,
    endpoint,
    buildkitHost: env["BUILDKIT_HOST"],
    platforms: flags.platform,
    driverOpts: flags.driverOpt && parseDriverOptFlags(flags.driverOpt),
    buildkitdFlags: flags.buildkitdFlags,
    buildkitdConfig: flags.buildkitdConfig ?? flags.config,
    trustCa: flags.trustCa,
    append: flags.append,
    use: flags.use,
    connect: flags.connect === undefined ? undefined : connectMode(flags.connect),
    checkMilliseconds: flags.timeout,
    signal,
  });
  const builder = new Builder(group, builders);
  if (needsRestart) warn(context, "new settings may not be used until builder is restarted");
  if (flags.bootstrap) {
    const progress = display("auto", context.stderr.stream, env);
    try {
      await builder.boot({ onEvent: progress, signal });
    } finally {
      progress({ type: "end" });
      await progress.close();
    }
  }
  context.stdout.text(`${builder.name}\n`);
}
