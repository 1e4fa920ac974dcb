import type { Command } from "commander";
import type { DockerContext } from "./docker-context.js";

/** A command of `slipway-docker`, loaded when it is run. */
export interface DockerCommand {
  /** All names that docker has for it, without `docker`; usage texts show the first. */
  names: readonly [string, ...string[]];
  summary: string;
  /** Options end at the first operand: what stands behind that is another program's. */
  runsProgram?: true;
  load: () => Promise<(context: DockerContext) => Command | Promise<Command>>;
}

/** All commands, but those that are buildx's: see {@link buildCommands}. */
export const dockerCommands: readonly DockerCommand[] = [
  {
    names: ["context ls", "context list"],
    summary: "List contexts",
    load: async () => (await import("./commands/contexts.js")).contextLs,
  },
  {
    names: ["cp", "container cp"],
    summary: "Copy files/folders between a container and the local filesystem",
    load: async () => (await import("./commands/cp.js")).cp,
  },
  {
    names: ["create", "container create"],
    summary: "Create a new container",
    runsProgram: true,
    load: async () => (await import("./commands/run.js")).create,
  },
  {
    names: ["events", "system events"],
    summary: "Get real time events from the server",
    load: async () => (await import("./commands/events.js")).events,
  },
  {
    names: ["exec", "container exec"],
    summary: "Execute a command in a running container",
    runsProgram: true,
    load: async () => (await import("./commands/exec.js")).exec,
  },
  {
    names: ["image prune"],
    summary: "Remove unused images",
    load: async () => (await import("./commands/image-prune.js")).imagePrune,
  },
  {
    names: ["images", "image ls", "image list"],
    summary: "List images",
    load: async () => (await import("./commands/images.js")).images,
  },
  {
    names: ["info", "system info"],
    summary: "Display system-wide information",
    load: async () => (await import("./commands/info.js")).info,
  },
  {
    names: ["inspect"],
    summary: "Return low-level information on Docker objects",
    load: async () => (await import("./commands/inspect.js")).inspect,
  },
  {
    names: ["image inspect"],
    summary: "Display detailed information on one or more images",
    load: async () => (await import("./commands/inspect.js")).imageInspect,
  },
  {
    names: ["container inspect"],
    summary: "Display detailed information on one or more containers",
    load: async () => (await import("./commands/inspect.js")).containerInspect,
  },
  {
    names: ["network inspect"],
    summary: "Display detailed information on one or more networks",
    load: async () => (await import("./commands/inspect.js")).networkInspect,
  },
  {
    names: ["volume inspect"],
    summary: "Display detailed information on one or more volumes",
    load: async () => (await import("./commands/inspect.js")).volumeInspect,
  },
  {
    names: ["load", "image load"],
    summary: "Load an image from a tar archive or STDIN",
    load: async () => (await import("./commands/archives.js")).load,
  },
  {
    names: ["login"],
    summary: "Authenticate to a registry",
    load: async () => (await import("./commands/credentials.js")).login,
  },
  {
    names: ["logout"],
    summary: "Log out from a registry",
    load: async () => (await import("./commands/credentials.js")).logout,
  },
  {
    names: ["logs", "container logs"],
    summary: "Fetch the logs of a container",
    load: async () => (await import("./commands/logs.js")).logs,
  },
  {
    names: ["manifest inspect"],
    summary: "Display an image manifest, or manifest list",
    load: async () => (await import("./commands/manifest.js")).manifestInspect,
  },
  {
    names: ["network ls", "network list"],
    summary: "List networks",
    load: async () => (await import("./commands/networks.js")).networkLs,
  },
  {
    names: ["ps", "container ls", "container list", "container ps"],
    summary: "List containers",
    load: async () => (await import("./commands/ps.js")).ps,
  },
  {
    names: ["pull", "image pull"],
    summary: "Download an image from a registry",
    load: async () => (await import("./commands/transfer.js")).pull,
  },
  {
    names: ["push", "image push"],
    summary: "Upload an image to a registry",
    load: async () => (await import("./commands/transfer.js")).push,
  },
  {
    names: ["rm", "container rm", "container remove"],
    summary: "Remove one or more containers",
    load: async () => (await import("./commands/rm.js")).rm,
  },
  {
    names: ["rmi", "image rm", "image remove"],
    summary: "Remove one or more images",
    load: async () => (await import("./commands/rmi.js")).rmi,
  },
  {
    names: ["run", "container run"],
    summary: "Create and run a new container from an image",
    runsProgram: true,
    load: async () => (await import("./commands/run.js")).run,
  },
  {
    names: ["save", "image save"],
    summary: "Save one or more images to a tar archive (streamed to STDOUT by default)",
    load: async () => (await import("./commands/archives.js")).save,
  },
  {
    names: ["system dial-stdio"],
    summary: "Proxy the stdio stream to the daemon connection. Should not be invoked manually.",
    load: async () => (await import("./commands/dial-stdio.js")).dialStdio,
  },
  {
    names: ["tag", "image tag"],
    summary: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    load: async () => (await import("./commands/tag.js")).tag,
  },
  {
    names: ["version"],
    summary: "Show the Docker version information",
    load: async () => (await import("./commands/version.js")).version,
  },
  {
    names: ["volume create"],
    summary: "Create a volume",
    load: async () => (await import("./commands/volumes.js")).volumeCreate,
  },
];

/** Commands that are buildx's, with what becomes of them: `build` is `buildx build`. */
export const buildCommands: Readonly<Record<string, { summary: string; becomes: readonly string[] }>> = {
  build: { summary: "Build an image from a Dockerfile", becomes: ["build"] },
  "image build": { summary: "Build an image from a Dockerfile", becomes: ["build"] },
  builder: { summary: "Manage builds", becomes: [] },
  buildx: { summary: "Docker Buildx", becomes: [] },
};

/** The first words of commands of two words. */
export function isTopic(name: string): boolean {
  return dockerCommands.some(({ names }) => names.some((each) => each.startsWith(`${name} `)));
}
