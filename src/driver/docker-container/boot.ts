import { stat } from "node:fs/promises";
import { DeadlineError, type VertexWriter, sleep } from "../../core/index.js";
import type { ContainerInspect } from "../../engine-api/index.js";
import { DriverError } from "../driver-error.js";
import { containerName, socketMount } from "./container-spec.js";
import { copyConfig, createContainer } from "./create-container.js";
import { type ContainerContext, hasOtherConfig, inspectNode } from "./container-context.js";
import { removeContainer } from "./remove-container.js";

/** How long another process may leave its new container unstarted before it is taken over (STO-7), in ms. */
const takeOverMilliseconds = 10_000;

/** How long to wait for what other processes do with the container, in ms. */
const patienceMilliseconds = 60_000;

/** What {@link bootContainer} found or did. */
export interface BootOutcome {
  /** Made by this call with extras that may turn out unusable; it may be made again without. */
  extras: boolean;
}

/**
 * Makes the node's container run, whatever state it is in: absent, created by a process that died half-way, stopped, or
 * being made by another process right now. Ready is another matter: the daemon may still be starting.
 *
 * @throws DriverError `DRIVER_BOOT` when it cannot be brought to run; EngineError what the engine refused.
 */
export async function bootContainer(
  node: ContainerContext,
  vertex: VertexWriter,
  { signal, plain = false }: { signal?: AbortSignal | undefined; plain?: boolean },
): Promise<BootOutcome> {
  const name = containerName(node.nodeName);
  const pause = patience(name, signal);
  let firstSeenCreated: number | undefined;
  for (let pulled = plain; ;) {
    const container = await inspectNode(node, signal);
    const state = container?.State;
    if (!container || !state) {
      const outcome = await createContainer(node, { vertex, signal, plain, skipPull: pulled });
      if (outcome.made) return { extras: outcome.extras };
      // The engine gives the name away first, and shows the container only once it has been made.
      pulled = true;
      await pause();
    } else if (state.Running || state.Restarting) {
      if (state.Paused)
        throw new DriverError("DRIVER_BOOT", `builder container ${name} is paused; unpause it first`);
      return { extras: false };
    } else if (state.Status === "created") {
      firstSeenCreated ??= Date.now();
      const seen = Date.now() - firstSeenCreated >= takeOverMilliseconds;
      if (seen || (await isAbandoned(node, container, signal))) {
        try {
          await vertex.status(`starting container ${name}`, () => finishCreated(node, signal));
        } catch (error) {
          // Its maker was slow, not dead, and has started or remade it meanwhile.
          const now = await inspectNode(node, signal);
          if (signal?.aborted || now?.State.Status === "created") throw error;
          continue;
        }
        return { extras: false };
      }
      await pause();
    } else if (state.Status === "removing") {
      await pause();
    } else {
      if (hasOtherConfig(node, container) || (await hasLostSockets(node, container))) {
        // Its state volume stays; only the container is made again, with the config it is to have (STO-6).
        await removeContainer(node.engine, container.Id, { volumes: false, signal });
        continue;
      }
      await vertex.status(`starting container ${name}`, () => startTolerant(node, signal));
      return { extras: false };
    }
  }
}

/** Pauses between two looks at the container; all of them together, from the first one on, have a limit. */
function patience(name: string, signal: AbortSignal | undefined): () => Promise<void> {
  let deadline: number | undefined;
  return async () => {
    deadline ??= Date.now() + patienceMilliseconds;
    if (Date.now() > deadline)
      throw new DeadlineError(`making container ${name}, which another process is at,`, patienceMilliseconds);
    await sleep(100, signal);
  };
}

/** The config was perhaps not copied: copy it (again), then start (STO-6). */
async function finishCreated(node: ContainerContext, signal: AbortSignal | undefined): Promise<void> {
  await copyConfig(node, signal);
  await startTolerant(node, signal);
}

/** Starting what another process has just started is no error: the engine answers 304, or 409 while it is at it. */
async function startTolerant(node: ContainerContext, signal: AbortSignal | undefined): Promise<void> {
  await node.engine.containers.start(containerName(node.nodeName), { signal });
}

/** Created so long ago, by the engine's own clock, that its maker must have died. */
async function isAbandoned(
  node: ContainerContext,
  container: ContainerInspect,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { SystemTime } = await node.engine.info({ signal });
  const age = Date.parse(SystemTime ?? "") - Date.parse(container.Created);
  return age > takeOverMilliseconds;
}

/** True when the directory for its socket, which was made for it here, is gone: the engine would not start it any more. */
async function hasLostSockets(node: ContainerContext, container: ContainerInspect): Promise<boolean> {
  const source = socketMount(container);
  if (source === undefined || !source.startsWith(`${node.socketParent}/`)) return false;
  return stat(source).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === "ENOENT",
  );
}
