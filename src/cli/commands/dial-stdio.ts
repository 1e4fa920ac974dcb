import { Command } from "commander";
import { Builder, parsePlatform } from "../../builder/index.js";
import { InvalidArgumentError, messageOf, withVertex } from "../../core/index.js";
import { dialBuilder } from "../../manage/index.js";
import { display } from "../../progress/index.js";
import type { CliContext, GlobalFlags } from "../cli-context.js";
import { proxyStdio } from "../proxy-stdio.js";
import { warn } from "../warn.js";

interface DialStdioFlags extends GlobalFlags {
  platform?: string;
  progress: string;
}

/** `slipway dial-stdio`: stdin and stdout become a connection to a builder's buildkitd. */
export function command(context: CliContext): Command {
  return new Command("dial-stdio")
    .description("Proxy current stdio streams to builder instance")
    .usage(" ")
    .option(
      "--platform <string>",
      "Target platform: this is used for node selection",
      context.env["DOCKER_DEFAULT_PLATFORM"],
    )
    .option(
      "--progress <string>",
      'Set type of progress output ("auto", "plain", "rawjson", "tty"). Use plain to show container output',
      "none",
    )
    .action((_flags: DialStdioFlags, self: Command) => run(self.optsWithGlobals(), context));
}

async function run(flags: DialStdioFlags, context: CliContext): Promise<void> {
  const { env, signal, stderr } = context;
  const platform = flags.platform || undefined;
  if (platform !== undefined) checkPlatform(platform);
  const progress = display(flags.progress, stderr.stream, env);
  const onWarning = (text: string) => warn(context, text);
  const builder = await Builder.open({ name: flags.builder, env, signal, onWarning });
  // Without a driver the display names the builder only, as buildx does here.
  progress({ type: "start", builder: builder.name, driver: "" });
  try {
    await withVertex(progress, "Proxying to builder", async (vertex) => {
      await using dialled = await vertex.status("Dialing builder", () =>
        dialBuilder({ builder, platform, env, signal, onEvent: progress }),
      );
      await proxyStdio(dialled.stream, context);
    });
  } finally {
    progress({ type: "end" });
    await progress.close();
  }
}

function checkPlatform(platform: string): void {
  try {
    parsePlatform(platform);
  } catch (error) {
    throw new InvalidArgumentError(`invalid platform ${JSON.stringify(platform)}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
