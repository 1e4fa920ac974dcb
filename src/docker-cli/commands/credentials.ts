import type { Command } from "commander";
import { commandTable } from "../../cli/index.js";
import type { DockerContext } from "../docker-context.js";

/** `docker login`: slipway's own, which has docker's flags, words and files. */
export function login(context: DockerContext): Promise<Command> {
  return own("login", context);
}

/** `docker logout`. */
export function logout(context: DockerContext): Promise<Command> {
  return own("logout", context);
}

async function own(name: string, context: DockerContext): Promise<Command> {
  const entry = commandTable.find((each) => each.name === name);
  if (!entry) throw new Error(`no command ${name}`);
  return (await entry.load()).command(context);
}
