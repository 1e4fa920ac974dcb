import { messageOf, throwIfAborted } from "../../core/index.js";
import { type EngineClient, EngineError } from "../../engine-api/index.js";
import { containerName, socketMount } from "./container-spec.js";
import { removeContainer, removeVolume } from "./remove-container.js";
import { removeSocketDirectory } from "./socket-directory.js";

/** What {@link reapContainers} removes, and from where. */
export interface ReapQuery {
  engine: EngineClient;
  socketParent: string;
  /** Beginning of the node names. */
  prefix: string;
  label: string;
  /** Whether what has this value of the label may go. `isLocal`: the engine is this machine's own. */
  isReapable: (value: string, isLocal: boolean) => Promise<boolean>;
  signal?: AbortSignal | undefined;
}

/**
 * Removes the builder containers and state volumes that have both the name and a label with a value that may go; nothing
 * else is touched. Others may be doing the same at once.
 *
 * @returns what was to be removed and could not be, a sentence each.
 * @throws EngineError when the engine cannot be asked what there is.
 */
export async function reapContainers(query: ReapQuery): Promise<string[]> {
  const { engine, socketParent, prefix, label, isReapable, signal } = query;
  const options = { filters: { label: [label] }, signal };
  const containers = await engine.containers.list({ ...options, all: true });
  const volumes = await engine.volumes.list(options);
  const may = (labels: Readonly<Record<string, string>> | null) =>
    isReapable(labels?.[label] ?? "", engine.isLocalSocket);
  const problems: string[] = [];
  const attempt = async (what: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      throwIfAborted(signal);
      if (error instanceof EngineError && error.status === 404) return;
      problems.push(`cannot remove ${what}: ${messageOf(error)}`);
    }
  };
  for (const { Id, Names, Labels } of containers) {
    const isNamed = Names.some((name) => name.startsWith(`/${containerName(prefix)}`));
    if (!isNamed || !(await may(Labels))) continue;
    await attempt(`container ${Names.join(", ")}`, async () => {
      const mounted = socketMount(await engine.containers.inspect(Id, { signal }));
      // By its id: the name may be somebody else's by now.
      await removeContainer(engine, Id, { volumes: true, signal });
      if (mounted?.startsWith(`${socketParent}/`)) await removeSocketDirectory(mounted);
    });
  }
  for (const { Name, Labels } of volumes) {
    const isNamed = Name.startsWith(containerName(prefix));
    if (!isNamed || !(await may(Labels))) continue;
    await attempt(`volume ${Name}`, () => removeVolume(engine, Name, signal));
  }
  return problems;
}
