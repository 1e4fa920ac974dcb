import type { ConnectTarget, Connection } from "./connection.js";
import type { FetchDefinition, FetchedDefinition } from "./fetch-definition.js";

/** Options of {@link readRemote}. */
export type ReadRemoteOptions = ConnectTarget &
  Pick<FetchDefinition, "names" | "defaultNames" | "limit"> & {
    /** Reads on it, and leaves it open. */
    connection?: Connection | undefined;
  };

/** Lets a builder fetch definitions, on a connection of its own or one that is there; see `fetchDefinition()`. */
export async function readRemote(url: string, options: ReadRemoteOptions): Promise<FetchedDefinition> {
  const [{ prepare }, { fetchDefinition }] = await Promise.all([
    import("./connection.js"),
    import("./fetch-definition.js"),
  ]);
  const { names, defaultNames, limit, onEvent: sink, signal } = options;
  const prepared = await prepare(options);
  const { nodes, facts } = prepared;
  try {
    const client = await nodes.connect(nodes.firstIndex, { onEvent: sink, signal });
    return await fetchDefinition(url, { client, env: facts.env, names, defaultNames, limit, sink, signal });
  } finally {
    await prepared.close();
  }
}
