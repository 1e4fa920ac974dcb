import { join } from "node:path";
import { type DockerEndpoint, type Environment, buildxConfigDir } from "../../config/index.js";
import { dockerCredentials, engineAuth } from "../../registry/index.js";
import type { DriverSpec } from "../driver-kind.js";
import { engineEndpoint } from "../engine-endpoint.js";
import { openEngine } from "../open-engine.js";
import { DockerContainerDriver } from "./docker-container-driver.js";
import { connectMode } from "./connect-mode.js";
import { parseDriverOptions } from "./options.js";
import { type ReapQuery, type Reaped, reapContainers } from "./reap.js";

/** @throws DriverError `DRIVER_OPTION` for unusable options; ConfigError for a context that is gone. */
export async function openDockerContainer(spec: DriverSpec): Promise<DockerContainerDriver> {
  const { dockerConfig: config, env } = spec;
  const options = parseDriverOptions(spec.driverOpts);
  const connect = spec.connect ?? connectMode(env["SLIPWAY_CONNECT"] || "auto");
  const credentials = dockerCredentials({ env, config });
  return new DockerContainerDriver({
    engine: openEngine(await engineEndpoint(env, config, spec.endpoint), env),
    nodeName: spec.nodeName,
    options,
    flags: spec.flags,
    files: spec.files,
    labels: spec.labels,
    connect,
    env,
    socketParent: socketParent(env),
    pullAuth: (image, signal) => engineAuth(image, credentials, signal),
    bootMilliseconds: spec.bootMilliseconds ?? 60_000,
    isWanted: spec.isWanted,
  });
}

function socketParent(env: Environment): string {
  return join(buildxConfigDir(env), "slipway", "run");
}

/**
 * {@link reapContainers} on an engine.
 *
 * @throws EngineError when the engine cannot be asked what there is.
 */
export async function reapEngine(
  endpoint: DockerEndpoint,
  env: Environment,
  query: Omit<ReapQuery, "engine" | "socketParent">,
): Promise<Reaped> {
  const engine = openEngine(endpoint, env);
  try {
    return await reapContainers({ ...query, engine, socketParent: socketParent(env) });
  } finally {
    await engine.close();
  }
}
