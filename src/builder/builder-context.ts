import { type DockerConfig, type Environment, loadDockerConfig } from "../config/index.js";
import { BuilderStore } from "./store.js";

/** What builders and nodes are resolved with. */
export interface BuilderContext {
  env: Environment;
  config: DockerConfig;
  store: BuilderStore;
}

/** Reads the docker config and opens the store of an environment. */
export async function openBuilderContext(
  options: {
    /** Default `process.env`. */
    env?: Environment | undefined;
    /** Told what was found broken in the store and worked around. */
    onWarning?: ((text: string) => void) | undefined;
    signal?: AbortSignal | undefined;
  } = {},
): Promise<BuilderContext> {
  const env = options.env ?? process.env;
  const config = await loadDockerConfig(env, { signal: options.signal });
  const store = BuilderStore.open(env, options.onWarning ? { onWarning: options.onWarning } : {});
  return { env, config, store };
}
