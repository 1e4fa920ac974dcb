import { dirname } from "node:path";
import { Option } from "commander";
import { InvalidArgumentError } from "../core/index.js";
import { findName, readArguments } from "./arguments/index.js";
import { type CliContext, ExitCode } from "./cli-context.js";
import type { Invocation } from "./invocation.js";
import { pluginMetadata } from "./plugin-metadata.js";

/** Flags of docker itself, which it leaves in front of the plug-in's name (docker/cli cli/flags/options.go). */
const dockerFlags = [
  new Option("--config <string>"),
  new Option("-c, --context <string>"),
  new Option("-D, --debug"),
  new Option("-H, --host <list>"),
  new Option("-l, --log-level <string>"),
  new Option("--tls"),
  new Option("--tlscacert <string>"),
  new Option("--tlscert <string>"),
  new Option("--tlskey <string>"),
  new Option("--tlsverify"),
];

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
  const env = { ...context.env };
  let isDebug = false;
  for (const { option, text } of flags) {
    const value = text.slice(text.indexOf("=") + 1);
    if (option.long === "--debug") isDebug = true;
    else setVariable(env, option.long ?? "", value);
  }
  const own = given.slice(name === pluginName ? at + 1 : at);
  return {
    args: [...(isCompletion ? [args[0] as string] : []), ...(isDebug ? ["--debug"] : []), ...own],
    context: { ...context, env, isPlugin: true },
    name: { binary: "docker", path: `docker ${pluginName}` },
  };
}

function setVariable(env: Record<string, string | undefined>, flag: string, value: string): void {
  switch (flag) {
    case "--config":
      env["DOCKER_CONFIG"] = value;
      break;
    case "--context":
      env["DOCKER_CONTEXT"] = value;
      // A context named on the command line comes before an engine of the environment.
      delete env["DOCKER_HOST"];
      break;
    case "--host":
      env["DOCKER_HOST"] = value;
      break;
    case "--tls":
      env["DOCKER_TLS"] = "1";
      break;
    case "--tlsverify":
      env["DOCKER_TLS_VERIFY"] = "1";
      break;
    case "--tlscacert":
    case "--tlscert":
    case "--tlskey": {
      const name = { "--tlscacert": "ca.pem", "--tlscert": "cert.pem", "--tlskey": "key.pem" }[flag];
      const path = dirname(value);
      const other = env["DOCKER_CERT_PATH"];
      if (!value.endsWith(name) || (other !== undefined && other !== path))
        throw new InvalidArgumentError(
          `docker's ${flag} ${value}: slipway takes ca.pem, cert.pem and key.pem of one directory only; name it in DOCKER_CERT_PATH`,
        );
      env["DOCKER_CERT_PATH"] = path;
      break;
    }
  }
}
