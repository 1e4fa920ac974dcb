import { PassThrough } from "node:stream";
import { Command } from "commander";
import { parseOutput } from "../../../build/index.js";
import { goJson, parseGoBool } from "../../../config/index.js";
import { InvalidArgumentError } from "../../../core/index.js";
import { type SnapshotOptions, snapshotReplay } from "../../../manage/index.js";
import type { CliContext } from "../../cli-context.js";
import { collect } from "../../flags.js";
import { type ReplayFlags, addFlag, replayCall } from "./replay-flags.js";

interface SnapshotFlags extends ReplayFlags {
  dryRun?: boolean;
  includeMaterials: boolean;
  output?: string[];
}

/** `slipway replay snapshot`: what a build took in, as a layout. */
export function snapshotCommand(context: CliContext): Command {
  const command = new Command("snapshot")
    .description("Export replay inputs for a subject as a reusable materials store")
    .usage("[OPTIONS] SUBJECT")
    .argument("<subject>", "Image or OCI layout")
    .option("--dry-run", "Print a JSON plan of the snapshot without writing output")
    .option("--include-materials [bool]", "Include material content in the snapshot", goBool, true)
    .action((subject: string, _flags: SnapshotFlags, self: Command) =>
      run(subject, self.optsWithGlobals(), context),
    );
  addFlag(command, "materials");
  // Taken as buildx takes it; no RUN step is run.
  addFlag(command, "network");
  command.option(
    "-o, --output <stringArray>",
    'Output destination (default: "-" — oci tar to stdout; bare "<path>" writes an oci-layout directory; "type=oci,dest=X[,tar=true|false]")',
    collect,
  );
  addFlag(command, "platform");
  addFlag(command, "progress");
  addFlag(command, "secret");
  return addFlag(command, "ssh");
}

async function run(subject: string, flags: SnapshotFlags, context: CliContext): Promise<void> {
  const { dryRun = false, includeMaterials } = flags;
  const { stdout, signal } = context;
  const place = dryRun ? undefined : placeOf(flags.output ?? [], stdout.isTerminal);
  const { options, progress } = await replayCall(flags, context);
  const { contexts: _, network: __, ...rest } = options;
  const asked = { ...rest, includeMaterials, dryRun };
  try {
    if (place === "stdout") {
      const archive = new PassThrough();
      const copying = stdout.copy(archive, { signal });
      copying.catch(() => {}); // the same is thrown below
      await snapshotReplay(subject, { ...asked, output: { tar: archive } }).catch((error: unknown) => {
        archive.destroy();
        throw error;
      });
      await copying;
      return;
    }
    const plan = await snapshotReplay(subject, { ...asked, ...(place && { output: place }) });
    await progress.close();
    if (dryRun) stdout.json(`${goJson(plan)}\n`);
  } finally {
    await progress.close();
  }
}

/** Where it goes (buildx v0.38 commands/replay/snapshot.go resolveSnapshotOutput). */
function placeOf(
  texts: readonly string[],
  isTerminal: boolean,
): NonNullable<SnapshotOptions["output"]> | "stdout" {
  const [text = "-", ...others] = texts;
  if (others.length > 0)
    throw new InvalidArgumentError(`snapshot: exactly one --output is required (got ${texts.length})`);
  const { type, dest = "", attrs = {} } = parseOutput(text);
  if (type === "registry")
    throw new InvalidArgumentError(
      "not implemented: snapshot registry output; a layout can be pushed by imagetools create",
    );
  if (type !== "oci" && type !== "tar" && type !== "local")
    throw new InvalidArgumentError(`snapshot: unsupported --output type ${JSON.stringify(type)} (want oci)`);
  if (typeof dest !== "string" || dest === "")
    throw new InvalidArgumentError("snapshot: type=oci requires dest=<file|dir|->");
  if (type === "local" || parseGoBool(attrs["tar"] ?? "") === false) return { layout: dest };
  if (dest !== "-") return { tar: dest };
  if (isTerminal)
    throw new InvalidArgumentError(
      "refusing to write binary snapshot to terminal — set an --output file or directory",
    );
  return "stdout";
}

function goBool(text: string): boolean {
  const value = parseGoBool(text);
  if (value === undefined)
    throw new InvalidArgumentError(
      `invalid argument ${JSON.stringify(text)} for "--include-materials" flag: strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return value;
}
