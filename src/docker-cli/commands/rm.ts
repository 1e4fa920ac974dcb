import { Command } from "commander";
import { type DockerContext, withEngine } from "../docker-context.js";
import { EngineError } from "../../engine-api/index.js";
import { forEach } from "../for-each.js";

interface RmFlags {
  force?: boolean;
  volumes?: boolean;
}

/** `docker rm`: removes containers. */
export function rm(context: DockerContext): Command {
  return new Command("rm")
    .description("Remove one or more containers")
    .usage("[OPTIONS] CONTAINER [CONTAINER...]")
    .argument("<containers...>")
    .option("-f, --force", "Force the removal of a running container (uses SIGKILL)")
    .option("-v, --volumes", "Remove anonymous volumes associated with the container")
    .action((names: string[], { force = false, volumes = false }: RmFlags) =>
      withEngine(context, ({ containers }) =>
        forEach(names, context, async (name) => {
          try {
            await containers.remove(name.replace(/^\//, ""), { force, volumes, signal: context.signal });
          } catch (error) {
            // Forced, there is nothing wrong with one that is gone already; it is told all the same.
            if (!force || !(error instanceof EngineError) || error.status !== 404) throw error;
            return context.stderr.text(`${error.message}\n`);
          }
          context.stdout.text(`${name}\n`);
        }),
      ),
    );
}
