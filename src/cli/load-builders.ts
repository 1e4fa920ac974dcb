import {
  Builder,
  type BuilderContext,
  type BuilderNode,
  type NodeInfo,
  NodeSurvey,
  contextNodeGroup,
  loadNodeInfo,
} from "../builder/index.js";
import { listDockerContexts } from "../config/index.js";
import { linkSignal, messageOf } from "../core/index.js";

/** A node with what is known of it. */
export interface LoadedNode extends NodeInfo {
  node: BuilderNode;
}

/** A builder with what is known of its nodes. */
export interface LoadedBuilder {
  name: string;
  driver: string;
  dynamic: boolean;
  lastActivity?: Date;
  nodes: LoadedNode[];
  /** The builder's own file is broken. */
  error?: string;
}

/** Options of {@link loadBuilders}. */
export interface LoadBuildersOptions {
  /** Limit for all nodes together, in ms; they are asked side by side. */
  timeout: number;
  signal?: AbortSignal | undefined;
  /** Also the builders that docker contexts are. */
  contexts: boolean;
  /** Is told of a node that takes long to answer. */
  onWait: (text: string) => void;
}

/** All builders of the store, those with errors last (buildx commands/ls.go). One broken builder hides no other (STO-1). */
export async function loadBuilders(
  context: BuilderContext,
  { contexts, ...options }: LoadBuildersOptions,
): Promise<LoadedBuilder[]> {
  const stored = await context.store.list();
  const { signal } = options;
  // An engine that does not answer is asked no more when all of its nodes have waited their time.
  const asking = linkSignal(signal);
  const survey = new NodeSurvey(context, { volumes: false, signal: asking.signal });
  const loading = stored.map(async (entry): Promise<LoadedBuilder> => {
    if ("error" in entry)
      return { name: entry.name, driver: "", dynamic: false, nodes: [], error: messageOf(entry.error) };
    return loadBuilder(new Builder(entry.group, context), { ...options, survey });
  });
  if (contexts) {
    const names = new Set(stored.map(({ name }) => name));
    for (const { contextName } of await listDockerContexts(context.env, context.config))
      if (!names.has(contextName))
        loading.push(
          loadBuilder(new Builder(contextNodeGroup(contextName), context), { ...options, survey }),
        );
  }
  const builders = await Promise.all(loading).finally(() => {
    asking.abort(undefined);
    asking[Symbol.dispose]();
  });
  return [
    ...builders.filter(({ error }) => error === undefined),
    ...builders.filter(({ error }) => error !== undefined),
  ];
}

/** A builder with the state of its nodes. */
export async function loadBuilder(
  builder: Builder,
  { timeout, survey, signal, onWait }: Omit<LoadBuildersOptions, "contexts"> & { survey?: NodeSurvey },
): Promise<LoadedBuilder> {
  const nodes = await Promise.all(
    builder.nodes.map(async (node) => ({
      node,
      ...(await loadNodeInfo(node, { milliseconds: timeout, survey, signal, onWait })),
    })),
  );
  const { lastActivity, dynamic } = builder.group;
  return {
    name: builder.name,
    driver: builder.driver,
    dynamic,
    nodes,
    ...(lastActivity && { lastActivity }),
  };
}
