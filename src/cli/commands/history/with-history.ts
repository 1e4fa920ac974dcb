import { Builder } from "../../../builder/index.js";
import { type BuildHistory, history } from "../../../manage/index.js";
import { display } from "../../../progress/index.js";
import type { CliContext, GlobalFlags } from "../../cli-context.js";
import { warn } from "../../warn.js";

/** Runs `work` on the history of the chosen builder, which is booted when it does not run. */
export async function withHistory<T>(
  context: CliContext,
  flags: GlobalFlags,
  work: (builds: BuildHistory) => Promise<T>,
): Promise<T> {
  const { env, signal, stderr } = context;
  const onWarning = (text: string) => warn(context, text);
  const builder = await Builder.open({ name: flags.builder, env, signal, onWarning });
  const progress = display("auto", stderr.stream, env);
  let builds: BuildHistory;
  try {
    builds = await history({ builder, env, signal, onEvent: progress });
  } finally {
    progress({ type: "end" });
    await progress.close();
  }
  try {
    return await work(builds);
  } finally {
    await builds.close();
  }
}
