import { messageOf, throwIfAborted } from "../../core/index.js";
import { type EngineClient, EngineError } from "../../engine-api/index.js";
import { containerName, socketMount, stateVolumeName } from "./container-spec.js";
import { removeContainer, removeVolume } from "./remove-container.js";
import { removeSocketDirectory } from "./socket-directory.js";

/** What {@link reapContainers} removes, and from where. */
export interface ReapQuery {
  engine: EngineClient;
  socketParent: string;
  /** Beginning of the node names. */
  prefix: string;
  label: string;
  /** Whether what has this value of the label may go. */
  isReapable: (value: string, seen: SignOfLife) => Promise<boolean>;
  signal?: AbortSignal | undefined;
}

/** What an engine tells of the use of something on it. */
export interface SignOfLife {
  /** The engine is this machine's own. */
  isLocal: boolean;
  /** When there was last a sign that somebody uses it, in ms since 1970: now, when it runs, else when it was made. */
  lastSign: number;
}

/** What was done by {@link reapContainers}. */
export interface Reaped {
  /** What was to be removed and could not be, a sentence each. */
  problems: string[];
  /** Nodes whose containers stay. */
  kept: string[];
}

/**
 * Removes the builder containers and state volumes that have both the name and a label with a value that may go; nothing
 * else is touched. Others may be doing the same at once.
 *
 * @throws EngineError when the engine cannot be asked what there is.
 */
export async function reapContainers(query: ReapQuery): Promise<Reaped> {
  const { engine, socketParent, prefix, label, isReapable, signal } = query;
  const options = { filters: { label: [label] }, signal };
  const containers = await engine.containers.list({ ...options, all: true });
  const volumes = await engine.volumes.list(options);
  const problems: string[] = [];
  const kept: string[] = [];
  const attempt = async (what: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      throwIfAborted(signal);
      if (error instanceof EngineError && error.status === 404) return;
      problems.push(`cannot remove ${what}: ${messageOf(error)}`);
    }
  };
  const isLocal = engine.isLocalSocket;
  for (const { Id, Names, Labels, State, Created } of containers) {
    const name = Names.find((one) => one.startsWith(`/${containerName(prefix)}`))?.slice(1);
    if (name === undefined) continue;
    const isIdle = State === "exited" || State === "created" || State === "dead";
    const lastSign = isIdle ? Created * 1000 : Date.now();
    if (!(await isReapable(Labels[label] ?? "", { isLocal, lastSign }))) {
      kept.push(name.slice(containerName("").length));
      continue;
    }
    await attempt(`container ${name}`, async () => {
      const mounted = socketMount(await engine.containers.inspect(Id, { signal }));
      // By its id: the name may be somebody else's by now.
      await removeContainer(engine, Id, { volumes: true, signal });
      if (mounted?.startsWith(`${socketParent}/`)) await removeSocketDirectory(mounted);
    });
  }
  for (const { Name, Labels, CreatedAt } of volumes) {
    if (!Name.startsWith(containerName(prefix)) || kept.some((node) => Name === stateVolumeName(node)))
      continue;
    const created = Date.parse(CreatedAt ?? "");
    const lastSign = Number.isNaN(created) ? Date.now() : created;
    if (!(await isReapable(Labels?.[label] ?? "", { isLocal, lastSign }))) continue;
    await attempt(`volume ${Name}`, () => removeVolume(engine, Name, signal));
  }
  return { problems, kept };
}
