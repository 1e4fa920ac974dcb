import { Command } from "commander";
import { collect } from "../../cli/index.js";
import { keyed } from "../container/key-values.js";
import { type DockerContext, withEngine } from "../docker-context.js";

interface CreateFlags {
  driver: string;
  label?: string[];
  opt?: string[];
}

/** `docker volume create`: makes a volume, or leaves the one that is there. */
export function volumeCreate(context: DockerContext): Command {
  return new Command("create")
    .description("Create a volume")
    .usage("[OPTIONS] [VOLUME]")
    .argument("[volume]")
    .option("-d, --driver <string>", "Specify volume driver name", "local")
    .option("--label <list>", "Set metadata for a volume", collect)
    .option("-o, --opt <map>", "Set driver specific options", collect)
    .action((name: string | undefined, { driver, label = [], opt = [] }: CreateFlags) =>
      withEngine(context, async ({ volumes }) => {
        const made = await volumes.create(
          {
            ...(name !== undefined && { Name: name }),
            Driver: driver,
            ...(opt.length > 0 && { DriverOpts: keyed(opt) }),
            ...(label.length > 0 && { Labels: keyed(label) }),
          },
          { signal: context.signal },
        );
        context.stdout.text(`${made.Name}\n`);
      }),
    );
}
