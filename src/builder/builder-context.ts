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
    /** Told what was found broken in the docker config and in the store, and worked around. */
    onWarning?: ((text: string) => void) | undefined;
    signal?: AbortSignal | undefined;
  } = {},
): Promise<BuilderContext> {
  const env = options.env ?? process.env;
  const loaded = await loadDockerConfig(env, { signal: options.signal });
  for (const problem of loaded.problems) options.onWarning?.(problem);
  // What was told need not be told again.
  const config = options.onWarning ? { ...loaded, problems: [] } : loaded;
  const store = BuilderStore.open(env, options.onWarning ? { onWarning: options.onWarning } : {});
  return { env, config, store };
}
