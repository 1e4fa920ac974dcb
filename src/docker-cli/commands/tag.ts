import { Command } from "commander";
import { type DockerContext, withEngine } from "../docker-context.js";

/** `docker tag`: gives an image one more name. */
export function tag(context: DockerContext): Command {
  return new Command("tag")
    .description("Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE")
    .usage("SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]")
    .argument("<source>")
    .argument("<target>")
    .action((source: string, target: string) =>
      withEngine(context, (engine) => engine.images.tag(source, target, { signal: context.signal })),
    );
}
