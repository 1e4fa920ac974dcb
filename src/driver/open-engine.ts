import type { DockerEndpoint, Environment } from "../config/index.js";
import { EngineClient } from "../engine-api/index.js";
import { type EngineSurvey, surveyEngine } from "./docker-container/engine-survey.js";

/** An engine client for a docker endpoint. */
export function openEngine(endpoint: DockerEndpoint, env: Environment): EngineClient {
  const apiVersion = env["DOCKER_API_VERSION"];
  return EngineClient.open({
    host: endpoint.host,
    skipTlsVerify: endpoint.skipTlsVerify,
    ...(endpoint.tls && { tls: endpoint.tls }),
    ...(apiVersion && { apiVersion }),
  });
}

/**
 * {@link surveyEngine} on the engine of an endpoint.
 *
 * @throws EngineError when the engine cannot be asked.
 */
export async function surveyEndpoint(
  endpoint: DockerEndpoint,
  env: Environment,
  options: { volumes: boolean; signal?: AbortSignal | undefined },
): Promise<EngineSurvey> {
  const engine = openEngine(endpoint, env);
  try {
    return await surveyEngine(engine, options);
  } finally {
    await engine.close();
  }
}
