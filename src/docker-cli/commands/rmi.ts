import { Command } from "commander";
import { type DockerContext, withEngine } from "../docker-context.js";
import { forEach } from "../for-each.js";

/** `docker rmi`: takes names from images, and removes those that have none left. */
export function rmi(context: DockerContext): Command {
  return new Command("rmi")
    .description("Remove one or more images")
    .usage("[OPTIONS] IMAGE [IMAGE...]")
    .argument("<images...>")
    .option("-f, --force", "Force removal of the image")
    .option("--no-prune", "Do not delete untagged parents")
    .action((images: string[], { force = false, prune }: { force?: boolean; prune: boolean }) =>
      withEngine(context, (engine) =>
        forEach(images, context, async (image) => {
          const options = { force, noPrune: !prune, signal: context.signal };
          for (const { Untagged, Deleted } of await engine.images.remove(image, options)) {
            if (Deleted) context.stdout.text(`Deleted: ${Deleted}\n`);
            else context.stdout.text(`Untagged: ${Untagged ?? ""}\n`);
          }
        }),
      ),
    );
}
