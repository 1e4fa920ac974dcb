import type { DockerConfig, Environment } from "../config/index.js";
import { type EventSink, withVertex } from "../core/index.js";
import type { EngineClient, JsonMessage } from "../engine-api/index.js";
import {
  type CredentialsCallback,
  callbackCredentials,
  dockerCredentials,
  engineAuth,
} from "../registry/index.js";
import type { PlannedExport } from "./outputs.js";
import { isPush } from "./plan-for-node.js";

/** What {@link pushMoby} works with. */
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
async function pushFromEngine(push: EnginePush): Promise<string | undefined> {
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

/**
 * Pushes what an engine's own daemon has built, where only the engine can; the digest is then that of the registry.
 *
 * @throws EngineError
 */
export async function pushMoby(
  response: Map<string, string>,
  exports: readonly PlannedExport[],
  push: Omit<EnginePush, "names">,
): Promise<void> {
  for (const entry of exports) {
    if (entry.type !== "moby" || !isPush(entry)) continue;
    const digest = await pushFromEngine({ ...push, names: (entry.attrs["name"] ?? "").split(",") });
    if (digest === undefined) continue;
    // Old daemons have only one digest, which is the image's id.
    const id = response.get("containerimage.config.digest") ?? response.get("containerimage.digest");
    if (id !== undefined) response.set("containerimage.config.digest", id);
    response.set("containerimage.digest", digest);
  }
}
