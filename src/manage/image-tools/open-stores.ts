import { type BuilderStore, openBuilderContext, resolveBuilder } from "../../builder/index.js";
import {
  type DockerConfig,
  type Environment,
  type RegistrySettings,
  readRegistrySettings,
} from "../../config/index.js";
import { RegistryClient, dockerCredentials } from "../../registry/index.js";
import type { ImageLocation } from "./image-location.js";
import type { ImageStore } from "./image-store.js";
import type { ImageToolsOptions } from "./image-tools.js";
import { LayoutStore } from "./layout-store.js";
import { RegistryStore } from "./registry-store.js";

/** Registries and layouts. */
export interface ImageStores extends AsyncDisposable {
  of(location: ImageLocation): ImageStore;
}

/**
 * Makes a client for registries. Builders are only read, never booted, and none is needed.
 *
 * @throws StoreError for a builder that was named and is not there; ConfigError for a broken `buildkitd.toml`.
 */
export async function openStores(options: ImageToolsOptions): Promise<ImageStores> {
  const { onWarning, signal } = options;
  const { env, config, store } = await openBuilderContext({ env: options.env, onWarning, signal });
  const name = options.builder || env["BUILDX_BUILDER"];
  const settings = await registrySettings(store, { env, config, name, signal });
  const credentials = dockerCredentials({ env, config, onWarning });
  const client = new RegistryClient({ env, credentials, settings });
  const registry = new RegistryStore(client);
  const layout = new LayoutStore();
  return {
    of: ({ kind }) => (kind === "registry" ? registry : layout),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** Those of the first node, as buildx takes them. */
async function registrySettings(
  store: BuilderStore,
  options: {
    env: Environment;
    config: DockerConfig;
    name: string | undefined;
    signal: AbortSignal | undefined;
  },
): Promise<Map<string, RegistrySettings>> {
  const { name, signal, ...source } = options;
  const group = await resolveBuilder(store, { ...source, ...(name && { name }), ...(signal && { signal }) });
  return readRegistrySettings(group.nodes[0]?.files ?? new Map<string, Uint8Array>());
}
