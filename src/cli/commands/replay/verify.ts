import { Command } from "commander";
import { parseOutput } from "../../../build/index.js";
import { InvalidArgumentError } from "../../../core/index.js";
import { verifyReplay } from "../../../manage/index.js";
import type { CliContext } from "../../cli-context.js";
import { collect } from "../../flags.js";
import { type ReplayFlags, addFlag, replayCall } from "./replay-flags.js";

interface VerifyFlags extends ReplayFlags {
  cache: boolean;
  compare: string;
  output?: string[];
}

/** `slipway replay verify`: an image once more, compared with the first. */
export function verifyCommand(context: CliContext): Command {
  const command = new Command("verify")
    .description("Replay a subject and compare the result against the original artifact")
    .usage("[OPTIONS] SUBJECT")
    .argument("<subject>", "Image or OCI layout")
    .option("--compare <string>", 'Comparison mode ("digest" | "artifact")', "digest")
    .action((subject: string, _flags: VerifyFlags, self: Command) =>
      run(subject, self.optsWithGlobals(), context),
    );
  addFlag(command, "context");
  addFlag(command, "materials");
  addFlag(command, "network");
  command
    .option("--no-cache", "Run every step again, also those that the builder has in its cache")
    .option(
      "-o, --output <stringArray>",
      'Output destination for the verification result (VSA) (format: "type=local,dest=path")',
      collect,
    );
  addFlag(command, "platform");
  addFlag(command, "progress");
  addFlag(command, "secret");
  return addFlag(command, "ssh");
}

async function run(subject: string, flags: VerifyFlags, context: CliContext): Promise<void> {
  const compare = flags.compare || "digest";
  if (compare !== "digest" && compare !== "artifact")
    throw new InvalidArgumentError(`unknown --compare ${JSON.stringify(compare)}`);
  const output = outputDirectory(flags.output ?? []);
  const { options, progress } = await replayCall(flags, context);
  try {
    const { replayDigest } = await verifyReplay(subject, {
      ...options,
      compare,
      noCache: !flags.cache,
      ...(output !== undefined && { output }),
    });
    await progress.close();
    context.stderr.text(`the replay is equal: ${replayDigest}\n`);
  } finally {
    await progress.close();
  }
}

/** One directory (buildx v0.38 commands/replay/verify.go). */
function outputDirectory(texts: readonly string[]): string | undefined {
  const [text, ...others] = texts;
  if (text === undefined) return undefined;
  if (others.length > 0)
    throw new InvalidArgumentError(`verify: exactly one --output is required (got ${texts.length})`);
  const { type, dest } = parseOutput(text);
  if (type !== "local")
    throw new InvalidArgumentError(`unsupported verify --output type ${JSON.stringify(type)} (want local)`);
  if (typeof dest !== "string" || dest === "")
    throw new InvalidArgumentError("verify output type=local requires dest=<dir>");
  return dest;
}
