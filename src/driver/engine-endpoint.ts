import {
  type DockerConfig,
  type DockerEndpoint,
  type Environment,
  resolveDockerEndpoint,
} from "../config/index.js";
import { isSlipwayError } from "../core/index.js";

/**
 * The engine that a node's endpoint names: that of a docker context, or a host.
 *
 * @throws ConfigError for a context that is gone, InvalidArgumentError for what is neither.
 */
export async function engineEndpoint(
  env: Environment,
  config: DockerConfig,
  endpoint: string,
): Promise<DockerEndpoint> {
  try {
    return await resolveDockerEndpoint(env, config, { context: endpoint });
  } catch (error) {
    const isHost = /^[a-z]+:\/\//.test(endpoint);
    if (!isHost || !(isSlipwayError(error, "CONTEXT_NOT_FOUND") || isSlipwayError(error, "INVALID_ARGUMENT")))
      throw error;
    // A host as endpoint takes its TLS from the environment, if that speaks of the same host.
    const current = await resolveDockerEndpoint(env, config, { context: "default" });
    return current.host === endpoint ? current : { contextName: "", host: endpoint, skipTlsVerify: false };
  }
}
