import { openEngine } from "../driver/index.js";
import type { CliContext, CliProcess } from "../cli/index.js";
import { loadDockerConfig, resolveDockerEndpoint } from "../config/index.js";
import { isSlipwayError } from "../core/index.js";
import type { EngineClient, RegistryAuth } from "../engine-api/index.js";
import { dockerCredentials, engineAuth } from "../registry/index.js";
import { CommandFailure } from "./command-failure.js";
import type { SignalRelay } from "./relay-signals.js";

/** What `slipway-docker` gets of its process. */
export interface DockerProcess extends CliProcess {
  takeSignals: SignalRelay["take"];
}

/** What a command of `slipway-docker` sees of its process. */
export interface DockerContext extends CliContext {
  takeSignals: SignalRelay["take"];
}

/**
 * Works with the engine of the docker context in force, and lets go of it.
 *
 * @throws CommandFailure in docker's words when the engine cannot be reached.
 */
export async function withEngine<T>(
  { env, signal }: DockerContext,
  work: (engine: EngineClient) => Promise<T>,
): Promise<T> {
  const endpoint = await resolveDockerEndpoint(env, await loadDockerConfig(env, { signal }));
  await using engine = openEngine(endpoint, env);
  try {
    return await work(engine);
  } catch (error) {
    throw unreachable(error, engine.host) ?? error;
  }
}

/** Tools look for these words of docker's. */
function unreachable(error: unknown, host: string): CommandFailure | undefined {
  if (!isSlipwayError(error, "ENGINE_CONNECT") || host.startsWith("ssh:")) return undefined;
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code;
  const text =
    code === "EACCES" || code === "EPERM"
      ? `permission denied while trying to connect to the Docker daemon socket at ${host}`
      : `Cannot connect to the Docker daemon at ${host}. Is the docker daemon running?`;
  return new CommandFailure(text, { cause: error });
}

/** The credentials that the engine needs for an image, as docker's configuration has them. */
export async function authFor(
  reference: string,
  { env, signal, stderr }: DockerContext,
): Promise<RegistryAuth | undefined> {
  const onWarning = (text: string) => stderr.text(`WARNING: ${text}\n`);
  return engineAuth(reference, dockerCredentials({ env, onWarning }), signal);
}
