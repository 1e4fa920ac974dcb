import { findName, readArguments } from "./arguments/index.js";
import { type CliContext, ExitCode } from "./cli-context.js";
import { dockerFlags, withDockerFlags } from "./docker-flags.js";
import type { Invocation } from "./invocation.js";
import { pluginMetadata } from "./plugin-metadata.js";

/**
 * What docker asks of a CLI plug-in: its metadata, or `[docker's flags] buildx ARGS…`. Docker's flags become the variables
 * that stand for them.
 *
 * @throws ExitCode 0 when the metadata has been printed.
 */
export function readPluginCall(args: readonly string[], context: CliContext): Invocation {
  if (args[0] === "docker-cli-plugin-metadata") {
    context.stdout.json(pluginMetadata);
    throw new ExitCode(0);
  }
  const pluginName = /^docker-([a-z]+)/.exec(context.invokedAs ?? "")?.[1] ?? "buildx";
  const isCompletion = args[0]?.startsWith("__complete") === true;
  const given = isCompletion ? args.slice(1) : args;
  const found = findName(given, dockerFlags);
  // `docker help buildx build` comes as it is.
  if (found.name === "help" && given[given.indexOf("help") + 1] === pluginName)
    return readPluginCall(
      [
        ...given.slice(0, given.indexOf("help")),
        pluginName,
        "help",
        ...given.slice(given.indexOf("help") + 2),
      ],
      context,
    );
  const { name } = found;
  const at = name === pluginName ? given.indexOf(pluginName) : 0;
  const { flags } = readArguments(given.slice(0, at), dockerFlags);
  const { env, isDebug } = withDockerFlags(context.env, flags);
  const own = given.slice(name === pluginName ? at + 1 : at);
  return {
    args: [...(isCompletion ? [args[0] as string] : []), ...(isDebug ? ["--debug"] : []), ...own],
    context: { ...context, env, isPlugin: true },
    name: { binary: "docker", path: `docker ${pluginName}` },
  };
}
