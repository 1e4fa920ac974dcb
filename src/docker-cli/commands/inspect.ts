import { Command } from "commander";
import { isSlipwayError } from "../../core/index.js";
import { EngineError, type EngineClient } from "../../engine-api/index.js";
import { CommandFailure } from "../command-failure.js";
import { type DockerContext, withEngine } from "../docker-context.js";
import { containerShape, imageShape, networkShape, volumeShape } from "../inspect-shapes.js";
import { type Inspected, printInspected } from "../print-inspected.js";

interface InspectFlags {
  format?: string;
  size?: boolean;
  type?: string;
}

type Inspector = (
  engine: EngineClient,
  name: string,
  flags: InspectFlags & { signal: AbortSignal },
) => Promise<Inspected>;

/** Kinds of objects, in the order in which docker looks for a name (docker/cli cli/command/system/inspect.go). */
const inspectors: Readonly<Record<string, Inspector>> = {
  container: async ({ containers }, name, { size, signal }) => ({
    data: await containers.inspect(name, { signal, ...(size && { size }) }),
    shape: containerShape,
  }),
  image: async ({ images }, name, { signal }) => ({
    data: await images.inspect(name, { signal }),
    shape: imageShape,
  }),
  network: async ({ networks }, name, { signal }) => ({
    data: await networks.inspect(name, { signal }),
    shape: networkShape,
  }),
  volume: async ({ volumes }, name, { signal }) => ({
    data: await volumes.inspect(name, { signal }),
    shape: volumeShape,
  }),
};

/** `docker inspect`: what the engine knows of containers, images, networks and volumes. */
export function inspect(context: DockerContext): Command {
  return new Command("inspect")
    .description("Return low-level information on Docker objects")
    .usage("[OPTIONS] NAME|ID [NAME|ID...]")
    .argument("<names...>")
    .option("-f, --format <string>", "Format output using a custom template: json, or a Go template")
    .option("-s, --size", "Display total file sizes if the type is container")
    .option("--type <string>", "Only inspect objects of the given type")
    .action((names: string[], flags: InspectFlags) => {
      const kinds = flags.type ? [kindOf(flags.type)] : Object.keys(inspectors);
      return run(context, kinds, names, flags);
    });
}

/** `docker image inspect` and the like: one kind of object. */
function inspectKind(kind: string, what: string, usage: string) {
  return (context: DockerContext): Command =>
    new Command("inspect")
      .description(`Display detailed information on one or more ${what}`)
      .usage(`[OPTIONS] ${usage} [${usage}...]`)
      .argument("<names...>")
      .option("-f, --format <string>", "Format output using a custom template: json, or a Go template")
      .action((names: string[], flags: InspectFlags) => run(context, [kind], names, flags));
}

/** `docker image inspect`. */
export const imageInspect = inspectKind("image", "images", "IMAGE");
/** `docker container inspect`. */
export const containerInspect = inspectKind("container", "containers", "CONTAINER");
/** `docker network inspect`. */
export const networkInspect = inspectKind("network", "networks", "NETWORK");
/** `docker volume inspect`. */
export const volumeInspect = inspectKind("volume", "volumes", "VOLUME");

function kindOf(type: string): string {
  if (Object.hasOwn(inspectors, type)) return type;
  const known = Object.keys(inspectors).map((name) => JSON.stringify(name));
  throw new CommandFailure(`unknown type: ${JSON.stringify(type)}: must be one of ${known.join(", ")}`);
}

function run(
  context: DockerContext,
  kinds: readonly string[],
  names: readonly string[],
  flags: InspectFlags,
): Promise<void> {
  const { signal } = context;
  return withEngine(context, (engine) =>
    printInspected(context, names, flags.format, async (name) => {
      for (const kind of kinds) {
        try {
          const inspector = inspectors[kind] as Inspector;
          return await inspector(engine, name, { ...flags, signal });
        } catch (error) {
          if (kinds.length === 1 || !isNoSuch(error)) throw error;
        }
      }
      throw new CommandFailure(`Error: No such object: ${name}`);
    }),
  );
}

/** There is none of that name, or there cannot be one: `a/b` is no container. */
function isNoSuch(error: unknown): boolean {
  if (isSlipwayError(error, "INVALID_ARGUMENT")) return true;
  return error instanceof EngineError && (error.status === 404 || error.status === 400);
}
