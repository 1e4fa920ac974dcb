import {
  type DockerConfig,
  type Environment,
  currentContextName,
  listDockerContexts,
  resolveDockerEndpoint,
} from "../config/index.js";
import { isBuilderName } from "./builder-name.js";
import { defaultFile } from "./current-file.js";
import { type NodeGroup, contextNodeGroup } from "./node-group.js";
import { StoreError } from "./store-error.js";
import type { BuilderStore } from "./store.js";

/** Where docker contexts are looked up. */
export interface ContextSource {
  env: Environment;
  config: DockerConfig;
}

/**
 * The builder of a name, or the current one when there is no name (buildx storeutil.GetNodeGroup, GetCurrentInstance).
 * Docker contexts are builders too.
 *
 * @throws StoreError `STORE_NO_BUILDER`, and what reading its file throws.
 */
export async function resolveBuilder(
  store: BuilderStore,
  options: ContextSource & { name?: string; signal?: AbortSignal },
): Promise<NodeGroup> {
  if (options.name) return await namedBuilder(store, options, options.name);
  const chosen = await currentStored(store, await currentKey(options), options.signal);
  return chosen ?? (await namedBuilder(store, options, currentContextName(options.env, options.config)));
}

/** What choices of builders are bound to: the current docker context, or the host that `default` stands for. */
export async function currentKey({ env, config }: ContextSource): Promise<string> {
  const name = currentContextName(env, config);
  return name === "default" ? (await resolveDockerEndpoint(env, config)).host : name;
}

/**
 * Makes a builder the current one (`buildx use`).
 *
 * @throws StoreError `STORE_NO_BUILDER`, or `STORE_REFUSED` when it is another docker context's own.
 */
export async function useBuilder(
  store: BuilderStore,
  options: ContextSource & { name: string; global?: boolean; default?: boolean; signal?: AbortSignal },
): Promise<void> {
  const { env, config, name, signal } = options;
  const key = await currentKey(options);
  await store.transaction(
    async (transaction) => {
      if (isBuilderName(name) && (await store.get(name))) {
        const choice = { key, name, global: options.global ?? false };
        return await transaction.setCurrent(choice, { default: options.default ?? false });
      }
      if (name === currentContextName(env, config))
        return await transaction.setCurrent({ key, name: "", global: false });
      if (name === "default")
        throw new StoreError(
          "STORE_REFUSED",
          "run `docker context use default` to switch to default context",
        );
      if (await hasContext(options, name)) {
        throw new StoreError(
          "STORE_REFUSED",
          `run \`docker context use ${name}\` to switch to context ${name}`,
        );
      }
      throw new StoreError(
        "STORE_NO_BUILDER",
        `failed to find instance ${JSON.stringify(name)}: no builder has that name`,
      );
    },
    signal ? { signal } : {},
  );
}

/**
 * Refuses a docker context's own builder when another context is current (buildx Builder.Validate).
 *
 * @throws StoreError `STORE_REFUSED`
 */
export function checkContextBuilder(group: NodeGroup, { env, config }: ContextSource): void {
  if (!group.dockerContext || group.name === currentContextName(env, config)) return;
  const name = group.name;
  throw new StoreError(
    "STORE_REFUSED",
    `use \`docker --context=${name} buildx\` to switch to context ${JSON.stringify(name)}`,
  );
}

async function namedBuilder(store: BuilderStore, source: ContextSource, name: string): Promise<NodeGroup> {
  const group = isBuilderName(name) ? await store.get(name) : undefined;
  if (group) return group;
  if (!(await hasContext(source, name)))
    throw new StoreError("STORE_NO_BUILDER", `no builder ${JSON.stringify(name)} found`);
  const lastActivity = await store.lastActivity(name);
  return { ...contextNodeGroup(name), ...(lastActivity && { lastActivity }) };
}

async function hasContext({ env, config }: ContextSource, name: string): Promise<boolean> {
  if (name === "default") return true;
  return (await listDockerContexts(env, config)).some(({ contextName }) => contextName === name);
}

/**
 * The stored builder that is current for an endpoint. As buildx does, a choice made for another endpoint is dropped,
 * and the endpoint's default takes its place; where the store cannot be written, that is left undone.
 */
async function currentStored(
  store: BuilderStore,
  key: string,
  signal: AbortSignal | undefined,
): Promise<NodeGroup | undefined> {
  const choice = await store.currentChoice();
  if (choice?.name) {
    if (choice.global) {
      const group = await tryGet(store, choice.name);
      if (group) return group;
    }
    if (choice.key === key) return await tryGet(store, choice.name);
  }
  const name = (await store.dir.read(defaultFile(key)))?.toString();
  const group = name === undefined ? undefined : await tryGet(store, name);
  if (name === undefined && choice?.key === key && choice.name === "") return undefined;
  await store
    .transaction(
      async (transaction) => {
        if (name === undefined) await transaction.resetCurrent(key);
        else await transaction.setCurrent({ key, name, global: false }, { default: true });
      },
      signal ? { signal } : {},
    )
    .catch((error: unknown) => {
      if (!(error instanceof StoreError) || error.code !== "STORE_UNWRITABLE") throw error;
    });
  return group;
}

/** Undefined also when its file is broken: the choice then counts as gone, and `ls` shows what is wrong. */
async function tryGet(store: BuilderStore, name: string): Promise<NodeGroup | undefined> {
  if (!isBuilderName(name)) return undefined;
  try {
    return await store.get(name);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    store.warn(`ignoring the current builder ${name}: ${error.message}`);
    return undefined;
  }
}
