import { type DockerConfig, type Environment, proxyBuildArgs, readAuthorities } from "../../config/index.js";
import { blankUsers, messageOf, throwIfAborted } from "../../core/index.js";
import { findProgram } from "../../fs/index.js";
import { type Finding, note, ok, problem } from "./finding.js";

/** A machine's whole list of authorities is read, bytes. */
const largest = 4 << 20;

const proxyNames = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"] as const;

/** The proxies of the environment and of docker's configuration, which go different ways. */
export function checkProxies(env: Environment, config: DockerConfig, engineHost: string): Finding {
  const own = proxyNames.flatMap((name) => {
    const value = env[name] || env[name.toLowerCase()];
    return value ? [`${name}=${blankUsers(value)}`] : [];
  });
  const steps = [...proxyBuildArgs(config, engineHost)].map(
    ([name, value]) => `${name}=${blankUsers(value)}`,
  );
  if (own.length === 0 && steps.length === 0) return ok("proxy", "none is configured");
  const text = `slipway itself: ${own.join(" ") || "none"}; build steps: ${steps.join(" ") || "none"}`;
  const bypass = own.length > 0 && !own.some((entry) => entry.startsWith("NO_PROXY="));
  return bypass
    ? note(
        "proxy",
        text,
        "set NO_PROXY to the registries that are reached without, such as localhost,.corp.example.com",
      )
    : ok("proxy", text);
}

/** Files of authorities that the environment names: those that cannot be used are passed over without a word. */
export async function checkAuthorities(env: Environment, signal?: AbortSignal): Promise<Finding> {
  const found: string[] = [];
  for (const variable of ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"]) {
    const path = env[variable];
    if (!path) continue;
    try {
      const text = await readAuthorities(path, { signal, limit: largest });
      found.push(`${text.split("-----BEGIN").length - 1} of ${path}`);
    } catch (error) {
      throwIfAborted(signal);
      return problem(
        "authorities",
        `${variable}: ${messageOf(error)}`,
        "name a file of PEM certificates, or unset it",
      );
    }
  }
  if (found.length === 0) return ok("authorities", "the public ones that Node knows");
  return ok("authorities", `${env["SSL_CERT_FILE"] ? "" : "the public ones, and "}${found.join(", and ")}`);
}

/** Docker's configuration, and the programs that keep its credentials. */
export async function checkCredentials(env: Environment, config: DockerConfig): Promise<Finding[]> {
  const findings = config.problems.map((text) =>
    note("credentials", text, `look at ${config.dir}/config.json`),
  );
  const helpers = new Set([
    ...config.credHelpers.values(),
    ...(config.credsStore ? [config.credsStore] : []),
  ]);
  for (const helper of helpers)
    if (!(await findProgram(`docker-credential-${helper}`, env)))
      findings.push(
        problem(
          "credentials",
          `config.json names the credential helper ${helper}, and no docker-credential-${helper} is on the PATH`,
          `install it, or take credsStore and credHelpers out of ${config.dir}/config.json and run: slipway login`,
        ),
      );
  if (findings.length > 0) return findings;
  const hosts = [...config.auths.keys()];
  const names = [...hosts, ...[...config.credHelpers.keys()].filter((name) => !hosts.includes(name))];
  if (names.length === 0 && !config.credsStore)
    return [ok("credentials", "none: registries are asked anonymously")];
  return [ok("credentials", `for ${names.join(", ") || "what the helper knows"}`)];
}
