import type { CliContext } from "./cli-context.js";
import { type ProgramName, ownName } from "./arguments/index.js";

/** A command line with the way the program was called taken into account. */
export interface Invocation {
  args: readonly string[];
  context: CliContext;
  name: ProgramName;
}

/** Docker tells a plug-in by it how docker itself was called (docker/cli cli-plugins/metadata ReexecEnvvar). */
const dockerVariable = "DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND";

/** The program's own command line, or the one that docker hands to a plug-in. */
export async function readInvocation(args: readonly string[], context: CliContext): Promise<Invocation> {
  // The plug-in may be a script of docker's name that runs this program under its own.
  const isPlugin =
    /^docker-[a-z]+(?:\.[a-z]+)?$/.test(context.invokedAs ?? "") || Boolean(context.env[dockerVariable]);
  if (!isPlugin && args[0] !== "docker-cli-plugin-metadata") return { args, context, name: ownName };
  const { readPluginCall } = await import("./plugin.js");
  return readPluginCall(args, context);
}
