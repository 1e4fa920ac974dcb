import { Command } from "commander";
import {
  type ImageReference,
  familiarReference,
  formatReference,
  parseReference,
  withDefaultTag,
} from "../../registry/index.js";
import { CommandFailure } from "../command-failure.js";
import { type DockerContext, authFor, withEngine } from "../docker-context.js";
import { printMessage } from "../print-message.js";

interface TransferFlags {
  platform?: string | undefined;
  quiet?: boolean | undefined;
}

/** `docker pull`: the engine gets an image from its registry. */
export function pull(context: DockerContext): Command {
  return transferCommand("pull", "Download an image from a registry", "[OPTIONS] NAME[:TAG|@DIGEST]")
    .option(
      "--platform <string>",
      "Set platform if server is multi-platform capable",
      context.env["DOCKER_DEFAULT_PLATFORM"],
    )
    .action(async (name: string, { platform, quiet }: TransferFlags) => {
      const reference = read(name, context, quiet);
      await pullImage(reference, context, { platform, quiet });
      context.stdout.text(`${formatReference(reference)}\n`);
    });
}

/** `docker push`: the engine brings an image to its registry. */
export function push(context: DockerContext): Command {
  return transferCommand("push", "Upload an image to a registry", "[OPTIONS] NAME[:TAG]").action(
    async (name: string, { quiet }: TransferFlags) => {
      const reference = read(name, context, quiet);
      if (reference.digest !== undefined) throw new CommandFailure("cannot push a digest reference");
      const { signal } = context;
      const image = familiarReference(reference);
      const registryAuth = await authFor(image, context);
      await withEngine(context, ({ images }) =>
        images.push(image, {
          registryAuth,
          signal,
          onProgress: (message) => quiet || printMessage(context, message),
        }),
      );
      if (quiet) context.stdout.text(`${formatReference(reference)}\n`);
    },
  );
}

/** Pulls an image, and shows how that goes on standard output unless told to be quiet. */
export async function pullImage(
  reference: ImageReference,
  context: DockerContext,
  { platform, quiet }: TransferFlags,
): Promise<void> {
  const { signal } = context;
  const image = familiarReference(reference);
  const registryAuth = await authFor(image, context);
  await withEngine(context, ({ images }) =>
    images.pull(image, {
      registryAuth,
      signal,
      ...(platform && { platform }),
      onProgress: (message) => quiet || printMessage(context, message),
    }),
  );
}

function transferCommand(name: string, description: string, usage: string): Command {
  return new Command(name)
    .description(description)
    .usage(usage)
    .argument("<name>")
    .option("--disable-content-trust [bool]", "Skip image signing (default true)")
    .option("-q, --quiet", "Suppress verbose output");
}

function read(name: string, { stdout }: DockerContext, quiet: boolean | undefined): ImageReference {
  const reference = parseReference(name);
  const complete = withDefaultTag(reference);
  if (complete !== reference && !quiet) stdout.text("Using default tag: latest\n");
  return complete;
}
