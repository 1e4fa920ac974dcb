import { listDockerContexts, parseDockerHost, resolveDockerEndpoint } from "../config/index.js";
import { InvalidArgumentError, messageOf } from "../core/index.js";
import { type DriverKind, kubernetesEndpoint, parseDaemonAddress } from "../driver/index.js";
import type { BuilderContext } from "./builder-context.js";
import { isBuilderName } from "./builder-name.js";
import type { CreateBuilderOptions } from "./create-options.js";
import { currentKey } from "./current-builder.js";
import { refuseForeignEndpoint } from "./foreign-endpoint.js";

/** Where a node is to be, and whether the user said so. */
export async function nodeEndpoint(
  context: BuilderContext,
  options: CreateBuilderOptions,
  { endpoint: kind }: DriverKind,
): Promise<{ endpoint: string; endpointGiven: boolean }> {
  const { endpoint } = options;
  if (kind === "daemon") return { endpoint: daemonEndpoint(options), endpointGiven: true };
  if (kind === "engine")
    return { endpoint: await endpointOf(context, endpoint), endpointGiven: endpoint !== undefined };
  if (endpoint !== undefined)
    throw new InvalidArgumentError(
      `kubernetes driver does not support endpoint args ${JSON.stringify(endpoint)}: the cluster is that of KUBECONFIG's current context`,
    );
  return { endpoint: clusterEndpoint(context, options), endpointGiven: false };
}

/** The endpoint of a node in the current cluster; it has the name of the builder in it. */
export function clusterEndpoint({ env }: BuilderContext, { name = "", node }: CreateBuilderOptions): string {
  return kubernetesEndpoint(name, node, env["KUBECONFIG"]);
}

function daemonEndpoint({ endpoint, buildkitHost }: CreateBuilderOptions): string {
  const address = endpoint ?? buildkitHost;
  if (!address) throw new InvalidArgumentError("no remote endpoint provided");
  parseDaemonAddress(address);
  return address;
}

/** A docker context's name stays a name, so that the builder follows the context; `default` and hosts become hosts. */
async function endpointOf(context: BuilderContext, given: string | undefined): Promise<string> {
  const { env, config } = context;
  if (given === undefined) {
    const key = await currentKey(context);
    if (!isBuilderName(key) && !key.includes("://")) return key;
    const current = await resolveDockerEndpoint(env, config);
    if (current.contextName === "default" && current.tls)
      throw new InvalidArgumentError(
        "could not create a builder instance with TLS data loaded from environment. Please create a docker context for the current environment and then create a builder instance with that context",
      );
    return key;
  }
  const contexts = await listDockerContexts(env, config);
  const found = contexts.find(({ contextName }) => contextName === given);
  if (found) return given === "default" ? found.host : given;
  refuseForeignEndpoint(given);
  try {
    return parseDockerHost(given, { tls: true });
  } catch (error) {
    throw new InvalidArgumentError(`failed to parse endpoint ${given}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
