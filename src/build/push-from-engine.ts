import type { Environment, DockerConfig } from "../config/index.js";
import { type EventSink, withVertex } from "../core/index.js";
import type { EngineClient, JsonMessage } from "../engine-api/index.js";
import {
  type CredentialsCallback,
  callbackCredentials,
  dockerCredentials,
  engineAuth,
} from "../registry/index.js";

/** What {@link pushFromEngine} works with. */
export interface EnginePush {
  engine: EngineClient;
  /** Of the image in the engine's store. */
  names: readonly string[];
  credentials: CredentialsCallback | undefined;
  env: Environment;
  dockerConfig: DockerConfig;
  sink: EventSink;
  signal?: AbortSignal | undefined;
}

/**
 * Pushes an image out of an engine's store, where the engine's own daemon cannot push what it built (buildx v0.38 build/build.go
 * pushWithMoby). Each name shows as a step.
 *
 * @returns the digest that the first name has in its registry.
 * @throws EngineError
 */
export async function pushFromEngine(push: EnginePush): Promise<string | undefined> {
  const { engine, names, env, dockerConfig: config, sink, signal } = push;
  const stored = dockerCredentials({ env, config });
  const provider = push.credentials ? callbackCredentials(push.credentials, stored) : stored;
  for (const name of names) {
    const registryAuth = await engineAuth(name, provider, signal);
    await withVertex(sink, `pushing ${name} with docker`, async (vertex) => {
      const layers = new Map<string, { current: number; total: number }>();
      const onProgress = ({ id, status, progressDetail }: JsonMessage) => {
        if (id === undefined || (progressDetail?.total === undefined && status !== "Pushed")) return;
        const { current = 0, total = 0 } = progressDetail ?? {};
        const layer = { current, total: total || (layers.get(id)?.total ?? 0) };
        layers.set(id, layer);
        const done = status === "Pushed";
        vertex.progress(`pushing layer ${id}`, { ...layer, ...(done && { current: layer.total, done }) });
      };
      await engine.images.push(name, { registryAuth, onProgress, signal });
    });
  }
  const [first] = names;
  if (first === undefined) return undefined;
  const registryAuth = await engineAuth(first, provider, signal);
  return engine.images.remoteDigest(first, { registryAuth, signal });
}
