import { Command } from "commander";
import { InvalidArgumentError } from "../../../core/index.js";
import { type InspectedImage, inspectImage } from "../../../manage/index.js";
import { sanitizeText } from "../../../progress/index.js";
import type { CliContext, GlobalFlags } from "../../cli-context.js";
import { Template, alignTabs, formatGoJson, templateFunctions } from "../../format/index.js";
import { warn } from "../../warn.js";
import { imageFields } from "./image-fields.js";

interface InspectFlags extends GlobalFlags {
  format?: string;
  raw?: boolean;
}

/** `slipway imagetools inspect`: an image as its registry, or an OCI layout, has it. */
export function inspectCommand(context: CliContext): Command {
  return new Command("inspect")
    .description("Show details of an image in the registry")
    .usage("[OPTIONS] NAME")
    .argument("<name>", "Image reference, or oci-layout:// location")
    .option("--format <string>", "Format the output using the given Go template")
    .option("--raw", "Show original, unformatted JSON manifest")
    .action((name: string, _flags: InspectFlags, self: Command) =>
      run(name, self.optsWithGlobals(), context),
    );
}

async function run(name: string, flags: InspectFlags, context: CliContext): Promise<void> {
  const { env, signal, stdout } = context;
  const { format = "", raw = false } = flags;
  if (format !== "" && raw) throw new InvalidArgumentError("format and raw cannot be used together");
  const isText = format === "" || /^\s*\{\{\s*\.Manifest\s*\}\}\s*$/.test(format);
  const template = isText ? undefined : Template.parse(format);
  const image = await inspectImage(name, {
    builder: flags.builder,
    env,
    signal,
    onWarning: (text) => warn(context, text),
    configs: template !== undefined,
    // Read only when asked for: they are large.
    attestations: { sbom: /\.SBOM\b/.test(format), provenance: /\.Provenance\b/.test(format) },
  });
  // No newline, so that the bytes keep their digest.
  if (raw) stdout.bytes(image.content);
  else if (template)
    stdout.values(
      template.execute(imageFields(name, image), {
        ...templateFunctions,
        json: (value) => formatGoJson(value, 2),
      }),
    );
  else stdout.text(imageText(image));
}

const spaces = { minWidth: 0, padding: 1 };

function imageText({ name, descriptor, manifests }: InspectedImage): string {
  const head = [
    line("Name", name),
    line("MediaType", descriptor.mediaType),
    line("Digest", descriptor.digest),
  ];
  if (!/index|manifest\.list/.test(descriptor.mediaType)) return alignTabs(head.join(""), spaces);
  return [head.join(""), "\t\nManifests:\t\n", ...entryBlocks(manifests)]
    .map((block) => alignTabs(block, spaces))
    .join("");
}

/** What an index lists, in blocks of lines with common columns; annotations are blocks of their own. */
function entryBlocks(manifests: InspectedImage["manifests"]): string[] {
  const blocks: string[] = [];
  let lines: string[] = [];
  for (const [index, { name, descriptor }] of manifests.entries()) {
    const { mediaType, platform, urls = [], annotations = {} } = descriptor;
    if (index > 0) lines.push("\t\n");
    lines.push(line("  Name", name), line("  MediaType", mediaType));
    if (!platform) continue;
    const version = platform["os.version"];
    const features = platform["os.features"] ?? [];
    lines.push(
      line("  Platform", [platform.os, platform.architecture, platform.variant].filter(Boolean).join("/")),
    );
    if (version) lines.push(line("  OSVersion", version));
    if (features.length > 0) lines.push(line("  OSFeatures", features.join(", ")));
    if (urls.length > 0) lines.push(line("  URLs", urls.join(", ")));
    const notes = Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1));
    if (notes.length === 0) continue;
    blocks.push([...lines, line("  Annotations", "")].join(""));
    blocks.push(notes.map(([key, value]) => line(`    ${key}`, value)).join(""));
    lines = [];
  }
  return lines.length > 0 ? [...blocks, lines.join("")] : blocks;
}

function line(label: string, value: string): string {
  return `${sanitizeText(label)}:\t${sanitizeText(value)}\n`;
}
