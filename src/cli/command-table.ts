import type { Command } from "commander";
import type { CliContext } from "./cli-context.js";

/** A command of the program, loaded when it is run. */
export interface CommandEntry {
  name: string;
  alias?: string;
  summary: string;
  /** Not listed in the help. */
  hidden?: boolean;
  load: () => Promise<{ command: (context: CliContext) => Command }>;
}

/** All commands, in order of their names. */
export const commandTable: readonly CommandEntry[] = [
  {
    name: "bake",
    alias: "f",
    summary: "Build from a file",
    load: () => import("./commands/bake.js"),
  },
  {
    name: "build",
    alias: "b",
    summary: "Start a build",
    load: () => import("./commands/build.js"),
  },
  {
    name: "completion",
    summary: "Generate the autocompletion script for the specified shell",
    load: () => import("./commands/completion.js"),
  },
  {
    name: "create",
    summary: "Create a new builder instance",
    load: () => import("./commands/create.js"),
  },
  {
    name: "debug",
    summary: "Start debugger",
    load: () => import("./commands/debug.js"),
  },
  {
    name: "dial-stdio",
    summary: "Proxy current stdio streams to builder instance",
    load: () => import("./commands/dial-stdio.js"),
  },
  {
    name: "doctor",
    summary: "Look at all that a build depends on",
    load: () => import("./commands/doctor.js"),
  },
  {
    name: "du",
    summary: "Disk usage",
    load: () => import("./commands/du.js"),
  },
  {
    name: "history",
    summary: "Commands to work on build records",
    load: () => import("./commands/history/index.js"),
  },
  {
    name: "imagetools",
    summary: "Commands to work on images in registry",
    load: () => import("./commands/imagetools/index.js"),
  },
  {
    name: "inspect",
    summary: "Inspect current builder instance",
    load: () => import("./commands/inspect.js"),
  },
  {
    name: "login",
    summary: "Authenticate to a registry",
    load: () => import("./commands/login.js"),
  },
  {
    name: "logout",
    summary: "Log out from a registry",
    load: () => import("./commands/logout.js"),
  },
  {
    name: "ls",
    summary: "List builder instances",
    load: () => import("./commands/ls.js"),
  },
  {
    name: "prune",
    summary: "Remove build cache",
    load: () => import("./commands/prune.js"),
  },
  {
    name: "replay",
    summary: "Replay a build from its provenance",
    load: () => import("./commands/replay/index.js"),
  },
  {
    name: "rm",
    summary: "Remove one or more builder instances",
    load: () => import("./commands/rm.js"),
  },
  {
    name: "stop",
    summary: "Stop builder instance",
    load: () => import("./commands/stop.js"),
  },
  {
    name: "use",
    summary: "Set the current builder instance",
    load: () => import("./commands/use.js"),
  },
  {
    name: "version",
    summary: "Show slipway version information",
    load: () => import("./commands/version.js"),
  },
];
