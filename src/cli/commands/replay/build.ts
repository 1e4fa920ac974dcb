import { Command } from "commander";
import { type BuildResult, parseOutput } from "../../../build/index.js";
import { goJson } from "../../../config/index.js";
import { InvalidArgumentError } from "../../../core/index.js";
import { type ReplayOptions, planReplay, replay } from "../../../manage/index.js";
import { type CliContext, FailedBuild } from "../../cli-context.js";
import { collect } from "../../flags.js";
import { printPlan } from "./print-plan.js";
import { type ReplayFlags, addFlag, replayCall } from "./replay-flags.js";

interface BuildReplayFlags extends ReplayFlags {
  dryRun?: boolean;
  format: string;
  load?: boolean;
  output?: string[];
  push?: boolean;
  replayMode: string;
  tag?: string[];
}

/** `slipway replay build`: an image once more. */
export function buildCommand(context: CliContext): Command {
  const command = new Command("build")
    .description("Rebuild an image from provenance and pinned materials")
    .usage("[OPTIONS] SUBJECT")
    .argument("<subject>", "Image, OCI layout or file with provenance")
    .action((subject: string, _flags: BuildReplayFlags, self: Command) =>
      run(subject, self.optsWithGlobals(), {
        ...context,
        isFormatGiven: self.getOptionValueSource("format") === "cli",
      }),
    );
  addFlag(command, "context");
  command
    .option("--dry-run", "Print a plan of the replay without solving or exporting")
    .option("--format <string>", 'Format dry-run output ("pretty" | "json")', "pretty")
    .option("--load", 'Shorthand for "--output=type=docker"');
  addFlag(command, "materials");
  addFlag(command, "network");
  command.option(
    "-o, --output <stringArray>",
    'Output destination (format: "type=local,dest=path")',
    collect,
  );
  addFlag(command, "platform");
  addFlag(command, "progress");
  command
    .option("--push", 'Shorthand for "--output=type=registry,unpack=false"')
    .option("--replay-mode <string>", 'Replay mode ("materials" | "frontend")', "materials");
  addFlag(command, "secret");
  addFlag(command, "ssh");
  return command.option(
    "-t, --tag <stringArray>",
    'Image identifier (format: "[registry/]repository[:tag]")',
    collect,
  );
}

async function run(
  subject: string,
  flags: BuildReplayFlags,
  { isFormatGiven, ...context }: CliContext & { isFormatGiven: boolean },
): Promise<void> {
  const { replayMode: mode, format, dryRun = false } = flags;
  if (mode !== "materials" && mode !== "frontend")
    throw new InvalidArgumentError(`unknown --replay-mode ${JSON.stringify(mode)}`);
  if (format !== "pretty" && format !== "json")
    throw new InvalidArgumentError(`unknown --format ${JSON.stringify(format)}`);
  if (isFormatGiven && !dryRun) throw new InvalidArgumentError("--format requires --dry-run");
  const { options, progress } = await replayCall(flags, context);
  const asked: ReplayOptions = {
    ...options,
    mode,
    outputs: (flags.output ?? []).filter((text) => text !== "").map(parseOutput),
    tags: flags.tag ?? [],
    ...(flags.load !== undefined && { load: flags.load }),
    ...(flags.push !== undefined && { push: flags.push }),
  };
  try {
    if (dryRun) {
      const plan = await planReplay(subject, asked);
      await progress.close();
      if (format === "json") context.stdout.json(`${goJson(plan)}\n`);
      else context.stdout.text(printPlan(plan));
      return;
    }
    await asBuild(() => replay(subject, asked));
  } finally {
    await progress.close();
  }
}

/** What fails in the build is told as a build's failure is. */
async function asBuild(work: () => Promise<BuildResult>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Error && (error as { code?: unknown }).code === "BUILD_FAILED")
      throw new FailedBuild(error);
    throw error;
  }
}
