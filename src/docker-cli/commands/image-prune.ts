import { Command } from "commander";
import { confirm } from "../../cli/index.js";
import { type DockerContext, withEngine } from "../docker-context.js";
import { addFilter, readFilters } from "../filters.js";
import { formatBytes } from "../../progress/index.js";

interface PruneFlags {
  all?: boolean;
  filter?: string[];
  force?: boolean;
}

/** `docker image prune`: removes images that nothing names or uses. */
export function imagePrune(context: DockerContext): Command {
  const command = new Command("prune")
    .description("Remove unused images")
    .usage("[OPTIONS]")
    .option("-a, --all", "Remove all unused images, not just dangling ones")
    .option("-f, --force", "Do not prompt for confirmation");
  return addFilter(command, "").action((flags: PruneFlags) => run(flags, context));
}

async function run(
  { all = false, force = false, filter }: PruneFlags,
  context: DockerContext,
): Promise<void> {
  const { signal, stdout } = context;
  const what = all ? "all images without at least one container associated to them" : "all dangling images";
  if (
    !force &&
    !(await confirm(context, `WARNING! This will remove ${what}.\nAre you sure you want to continue?`))
  )
    return;
  const filters = { ...readFilters(filter), dangling: [String(!all)] };
  const { ImagesDeleted, SpaceReclaimed } = await withEngine(context, ({ images }) =>
    images.prune({ filters, signal }),
  );
  const lines = (ImagesDeleted ?? []).map(({ Untagged, Deleted }) =>
    Untagged ? `untagged: ${Untagged}\n` : `deleted: ${Deleted ?? ""}\n`,
  );
  if (lines.length > 0) stdout.text(`Deleted Images:\n${lines.join("")}\n`);
  stdout.text(`Total reclaimed space: ${formatBytes(SpaceReclaimed)}\n`);
}
