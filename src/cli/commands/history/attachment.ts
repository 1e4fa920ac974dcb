import { Readable } from "node:stream";
import { Command } from "commander";
import { InvalidArgumentError } from "../../../core/index.js";
import { type BuildAttachment, HistoryError } from "../../../manage/index.js";
import type { CliContext, GlobalFlags } from "../../cli-context.js";
import { withHistory } from "./with-history.js";

interface AttachmentFlags extends GlobalFlags {
  platform?: string;
  type?: string;
}

/** Short words for types. */
const typeNames: Readonly<Record<string, readonly string[]>> = {
  index: ["application/vnd.oci.image.index.v1+json"],
  manifest: ["application/vnd.oci.image.manifest.v1+json"],
  image: ["application/vnd.oci.image.config.v1+json"],
  provenance: ["https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2"],
  sbom: ["https://spdx.dev/Document"],
};

/** `slipway history inspect attachment`: one attachment of a build as it is. */
export function attachmentCommand(context: CliContext): Command {
  return new Command("attachment")
    .description("Inspect a build record attachment")
    .usage("[OPTIONS] [REF [DIGEST]]")
    .argument("[ref]", "Build, default the newest")
    .argument("[digest]", "Digest of the attachment")
    .option("--platform <string>", "Platform of attachment")
    .option("--type <string>", "Type of attachment")
    .action((ref: string | undefined, digest: string | undefined, _flags: AttachmentFlags, self: Command) =>
      run({ ref, digest }, self.optsWithGlobals(), context),
    );
}

async function run(
  { ref, digest }: { ref: string | undefined; digest: string | undefined },
  flags: AttachmentFlags,
  context: CliContext,
): Promise<void> {
  const { signal } = context;
  if (digest !== undefined && !/^sha(256:[0-9a-f]{64}|384:[0-9a-f]{96}|512:[0-9a-f]{128})$/.test(digest))
    throw new InvalidArgumentError(
      `invalid digest ${JSON.stringify(digest)}: invalid checksum digest format`,
    );
  if (!digest && !flags.platform && !flags.type)
    throw new InvalidArgumentError("at least one of --type, --platform or DIGEST must be specified");
  await withHistory(context, flags, async (builds) => {
    const record = await builds.record(ref, { signal });
    const wanted =
      digest ?? (await builds.attachments(record, { signal })).find((found) => matches(found, flags))?.digest;
    if (wanted === undefined)
      throw new HistoryError(
        "HISTORY_MISSING",
        `no matching attachment found for ref ${JSON.stringify(ref ?? "")}`,
      );
    await context.stdout.copy(Readable.from(builds.streamBlob(record, wanted, { signal })), { signal });
  });
}

function matches({ platform, type }: BuildAttachment, flags: AttachmentFlags): boolean {
  if (flags.platform && platform !== flags.platform) return false;
  return !flags.type || (typeNames[flags.type] ?? [flags.type]).includes(type);
}
