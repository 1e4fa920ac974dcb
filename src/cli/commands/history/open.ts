import { Command } from "commander";
import { desktopUrl, hasDesktop } from "../../../config/index.js";
import { HistoryError, openInDesktop } from "../../../manage/index.js";
import type { CliContext, GlobalFlags } from "../../cli-context.js";
import { withHistory } from "./with-history.js";

/** `slipway history open`: shows a build in Docker Desktop, where that is there. */
export function openCommand(context: CliContext): Command {
  return new Command("open")
    .description("Open a build record in Docker Desktop")
    .usage("[OPTIONS] [REF]")
    .argument("[ref]", "Build, default the newest")
    .action((ref: string | undefined, _flags: GlobalFlags, self: Command) =>
      run(ref, self.optsWithGlobals(), context),
    );
}

async function run(ref: string | undefined, flags: GlobalFlags, context: CliContext): Promise<void> {
  const { env, signal } = context;
  const record = await withHistory(context, flags, (builds) => builds.record(ref, { signal }));
  if (!hasDesktop(env))
    throw new HistoryError(
      "HISTORY_DESKTOP",
      `history open shows builds in Docker Desktop, which is not here; see the build with: slipway history inspect ${record.id}`,
    );
  await openInDesktop(desktopUrl(record.ref));
}
