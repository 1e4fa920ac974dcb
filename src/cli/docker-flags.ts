import { dirname } from "node:path";
import { Option } from "commander";
import type { Environment } from "../config/index.js";
import { InvalidArgumentError } from "../core/index.js";
import type { ReadArguments } from "./arguments/index.js";

/** Flags of docker itself, which stand in front of a command's name (docker/cli cli/flags/options.go). */
export const dockerFlags = [
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
 * The environment in which docker's own flags have become the variables that stand for them.
 *
 * @throws InvalidArgumentError for certificates that no variable can name.
 */
export function withDockerFlags(
  env: Environment,
  flags: ReadArguments["flags"],
): { env: Environment; isDebug: boolean } {
  const changed = { ...env };
  let isDebug = false;
  for (const { option, text } of flags) {
    if (option.long === "--debug") isDebug = true;
    else setVariable(changed, option.long ?? "", text.slice(text.indexOf("=") + 1));
  }
  return { env: changed, isDebug };
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
