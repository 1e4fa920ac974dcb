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
    names: ["rmi", "image rm", "image remove"],
    summary: "Remove one or more images",
    load: async () => (await import("./commands/rmi.js")).rmi,
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
