import { Command } from "commander";
import { prepareOutput } from "../../cli/index.js";
import { parsePlatform } from "../../builder/index.js";
import { openReadable } from "../../fs/index.js";
import { CommandFailure } from "../command-failure.js";
import { type DockerContext, withEngine } from "../docker-context.js";
import { printMessage } from "../print-message.js";

/** `docker save`: images of the engine as one archive. */
export function save(context: DockerContext): Command {
  return new Command("save")
    .description("Save one or more images to a tar archive (streamed to STDOUT by default)")
    .usage("[OPTIONS] IMAGE [IMAGE...]")
    .argument("<images...>")
    .option("-o, --output <string>", "Write to a file, instead of STDOUT")
    .option("--platform <string>", "Save only the given platform variant")
    .action(async (names: string[], { output, platform }: { output?: string; platform?: string }) => {
      const { signal, stdout } = context;
      if (output === undefined && stdout.isTerminal)
        throw new CommandFailure("cowardly refusing to save to a terminal. Use the -o flag or redirect");
      const write = await prepareOutput(output, context);
      await withEngine(context, async ({ images }) =>
        write(await images.save(names, { signal, ...only(platform) })),
      );
    });
}

/** `docker load`: brings an archive of images into the engine. */
export function load(context: DockerContext): Command {
  return new Command("load")
    .description("Load an image from a tar archive or STDIN")
    .usage("[OPTIONS]")
    .option("-i, --input <string>", "Read from tar archive file, instead of STDIN")
    .option("--platform <string>", "Load only the given platform variant")
    .option("-q, --quiet", "Suppress the load output")
    .action(async ({ input, platform, quiet }: { input?: string; platform?: string; quiet?: boolean }) => {
      const { signal, stdin } = context;
      if (!input && stdin.isTTY) throw new CommandFailure("requested load from stdin, but stdin is empty");
      const archive = input ? await openReadable(input, { signal }) : stdin;
      await withEngine(context, ({ images }) =>
        images.load(archive, {
          signal,
          ...only(platform),
          onProgress: (message) => (!quiet || message.stream !== undefined) && printMessage(context, message),
        }),
      );
    });
}

function only(platform: string | undefined) {
  return platform ? { platforms: [parsePlatform(platform)] } : {};
}
