import { Command } from "commander";
import { display } from "../../../progress/index.js";
import type { CliContext, GlobalFlags } from "../../cli-context.js";
import { withHistory } from "./with-history.js";

interface LogsFlags extends GlobalFlags {
  progress: string;
}

/** `slipway history logs`: a build's progress once more, on stderr. */
export function logsCommand(context: CliContext): Command {
  return new Command("logs")
    .description("Print the logs of a build record")
    .usage("[OPTIONS] [REF]")
    .argument("[ref]", "Build, default the newest")
    .option("--progress <string>", "Set type of progress output (plain, rawjson, tty)", "plain")
    .action((ref: string | undefined, _flags: LogsFlags, self: Command) =>
      run(ref, self.optsWithGlobals(), context),
    );
}

async function run(ref: string | undefined, flags: LogsFlags, context: CliContext): Promise<void> {
  const { env, signal, stderr } = context;
  await withHistory(context, flags, async (builds) => {
    const record = await builds.record(ref, { signal });
    const mode = flags.progress === "auto" ? "plain" : flags.progress;
    const progress = display(mode, stderr.stream, env);
    try {
      for await (const update of builds.status(record, { signal })) {
        progress({ type: "status", ...update });
        await progress.ready?.();
      }
    } finally {
      progress({ type: "end" });
      await progress.close();
    }
  });
}
