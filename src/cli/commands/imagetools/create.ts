import { Command } from "commander";
import { goJson, parseGoBool, textOf } from "../../../config/index.js";
import { InvalidArgumentError } from "../../../core/index.js";
import { FileReadError, prepareResultFile, readBounded } from "../../../fs/index.js";
import { createImage, imageMetadata } from "../../../manage/index.js";
import { display } from "../../../progress/index.js";
import type { CliContext, GlobalFlags } from "../../cli-context.js";
import { collect } from "../../flags.js";
import { warn } from "../../warn.js";

/** Bytes of a file with a descriptor, at most. */
const largestDescriptor = 1 << 20;

interface CreateFlags extends GlobalFlags {
  annotation?: string[];
  append?: boolean;
  dryRun?: boolean;
  file?: string[];
  metadataFile?: string;
  platform?: string[];
  preferIndex: boolean;
  progress: string;
  tag?: string[];
}

/** `slipway imagetools create`: an image made of images that are there. */
export function createCommand(context: CliContext): Command {
  return new Command("create")
    .description("Create a new image based on source images")
    .usage("[OPTIONS] [SOURCE...]")
    .argument("[sources...]", "References, digests, descriptors, oci-layout:// locations")
    .option("--annotation <stringArray>", "Add annotation to the image", collect)
    .option("--append", "Append to existing manifest")
    .option("--dry-run", "Show final image instead of pushing")
    .option("-f, --file <stringArray>", "Read source descriptor from file", collect)
    .option("--metadata-file <string>", "Write create result metadata to a file")
    .option("-p, --platform <stringArray>", "Filter specified platforms of target image", collect)
    .option(
      "--prefer-index [bool]",
      "When only a single source is specified, prefer outputting an image index or manifest list instead of performing a carbon copy",
      goBool,
      true,
    )
    .option(
      "--progress <string>",
      'Set type of progress output ("auto", "none", "plain", "rawjson", "tty"). Use plain to show container output',
      "auto",
    )
    .option("-t, --tag <stringArray>", "Set reference for new image", collect)
    .action((sources: string[], _flags: CreateFlags, self: Command) =>
      run(sources, self.optsWithGlobals(), context),
    );
}

async function run(sources: readonly string[], flags: CreateFlags, context: CliContext): Promise<void> {
  const { env, signal, stderr, stdout } = context;
  const { annotation: annotations = [], append = false, dryRun = false, metadataFile } = flags;
  const descriptors = await Promise.all((flags.file ?? []).map((path) => readDescriptor(path, signal)));
  const metadata =
    metadataFile && !dryRun ? await prepareResultFile(metadataFile, "metadata file") : undefined;
  const progress = display(flags.progress, stderr.stream, env);
  try {
    const created = await createImage({
      sources: [...descriptors, ...sources],
      tags: flags.tag ?? [],
      append,
      annotations,
      preferIndex: flags.preferIndex,
      platforms: flags.platform ?? [],
      dryRun,
      builder: flags.builder,
      env,
      signal,
      onWarning: (text) => warn(context, text),
      onEvent: progress,
    });
    if (dryRun) stdout.json(`${created.content.toString()}\n`);
    else await metadata?.write(goJson(imageMetadata(created)), signal);
  } finally {
    progress({ type: "end" });
    await progress.close();
  }
}

function goBool(text: string): boolean {
  const value = parseGoBool(text);
  if (value === undefined)
    throw new InvalidArgumentError(
      `invalid argument ${JSON.stringify(text)} for "--prefer-index" flag: strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return value;
}

async function readDescriptor(path: string, signal: AbortSignal): Promise<string> {
  try {
    const text = textOf(await readBounded(path, { limit: largestDescriptor, special: "read", signal }));
    if (text.trim() === "") throw new InvalidArgumentError(`source descriptor ${path} is empty`);
    return text;
  } catch (error) {
    if (!(error instanceof FileReadError)) throw error;
    throw new InvalidArgumentError(`cannot read source descriptor ${path}: ${error.reason}`, {
      cause: error,
    });
  }
}
