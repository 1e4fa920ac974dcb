import { Command } from "commander";
import { inspectBuild } from "../../../manage/index.js";
import type { CliContext, GlobalFlags } from "../../cli-context.js";
import { Template } from "../../format/index.js";
import { attachmentCommand } from "./attachment.js";
import { inspectFields, inspectJson } from "./inspect-fields.js";
import { inspectText } from "./inspect-text.js";
import { withHistory } from "./with-history.js";

interface InspectFlags extends GlobalFlags {
  format: string;
}

/** `slipway history inspect`: everything a builder remembers of one build. */
export function inspectCommand(context: CliContext): Command {
  return new Command("inspect")
    .description("Inspect a build record")
    .usage("[OPTIONS] [REF]")
    .argument("[ref]", "Build, default the newest")
    .option("--format <string>", "Format the output", "pretty")
    .action((ref: string | undefined, _flags: InspectFlags, self: Command) =>
      run(ref, self.optsWithGlobals(), context),
    )
    .addCommand(attachmentCommand(context));
}

async function run(ref: string | undefined, flags: InspectFlags, context: CliContext): Promise<void> {
  const { env, signal, stdout } = context;
  const { format } = flags;
  const isTemplate = format !== "json" && format !== "pretty";
  const template = isTemplate ? Template.parse(format) : undefined;
  const details = await withHistory(context, flags, async (builds) =>
    inspectBuild(builds, await builds.record(ref, { signal }), { signal }),
  );
  if (template) stdout.values(`${template.execute(inspectFields(details))}\n`);
  else if (format === "json") stdout.json(inspectJson(details));
  else stdout.text(inspectText(details, { showsRef: !ref, debug: flags.debug ?? false, env }));
}
