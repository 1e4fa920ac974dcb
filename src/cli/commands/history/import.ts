import type { Readable } from "node:stream";
import { Command } from "commander";
import { InvalidArgumentError } from "../../../core/index.js";
import { FileReadError, openReadable } from "../../../fs/index.js";
import { hasDesktop } from "../../../config/index.js";
import { importBundle, openInDesktop } from "../../../manage/index.js";
import type { CliContext } from "../../cli-context.js";
import { collect } from "../../flags.js";

interface ImportFlags {
  file?: string[];
}

/** `slipway history import`: hands bundles to Docker Desktop, which keeps and shows the builds in them. */
export function importCommand(context: CliContext): Command {
  return new Command("import")
    .description("Import build records into Docker Desktop")
    .usage("[OPTIONS] -")
    .argument("[file]", "- for stdin")
    .option("-f, --file <stringArray>", "Import from a file path", collect)
    .action((file: string | undefined, flags: ImportFlags) => {
      if (file !== undefined && file !== "-")
        throw new InvalidArgumentError(`unexpected argument ${JSON.stringify(file)}; name files with --file`);
      return run(flags, context);
    });
}

async function run({ file: files = ["-"] }: ImportFlags, context: CliContext): Promise<void> {
  const { env, signal, stderr } = context;
  const urls: string[] = [];
  for (const file of files) {
    const bundle = file === "-" ? context.stdin : await openFile(file, signal);
    urls.push(...(await importBundle(bundle, { env, signal })));
  }
  const [first] = urls;
  if (first === undefined) throw new InvalidArgumentError("no build records found in the bundle");
  for (const url of urls) stderr.text(`${url}\n`);
  if (hasDesktop(env)) await openInDesktop(first);
}

async function openFile(path: string, signal: AbortSignal): Promise<Readable> {
  try {
    return await openReadable(path, { signal });
  } catch (error) {
    if (!(error instanceof FileReadError)) throw error;
    throw new InvalidArgumentError(`failed to open file ${path}: ${error.reason}`, { cause: error });
  }
}
