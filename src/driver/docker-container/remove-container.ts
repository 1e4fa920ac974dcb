import { sleep } from "../../core/index.js";
import { type EngineClient, EngineError } from "../../engine-api/index.js";

/** How long others who are removing the same thing may take, in ms. */
const patienceMilliseconds = 60_000;

const pauseMilliseconds = 100;

/** Options of {@link removeContainer}. */
export interface RemoveContainerOptions {
  /** Also its anonymous volumes. */
  volumes: boolean;
  signal?: AbortSignal | undefined;
}

/**
 * Removes a container, running or not. Others may be at it at the same time, which the engine refuses with 409: then this waits
 * until it is gone. One that is not there is no error.
 *
 * @param id its id, or its name
 * @throws EngineError what the engine refused.
 */
export async function removeContainer(
  engine: EngineClient,
  id: string,
  { volumes, signal }: RemoveContainerOptions,
): Promise<void> {
  await unlessOthersAreAtIt(
    () => engine.containers.remove(id, { force: true, volumes, signal }),
    async () => (await stateOf(engine, id, signal)) === "removing",
    signal,
  );
}

/**
 * Removes a volume. One whose container has just been removed counts as in use for a moment longer; one that is not there
 * is no error.
 *
 * @throws EngineError what the engine refused, `ENGINE_CONFLICT` also when the volume stays in use.
 */
export async function removeVolume(
  engine: EngineClient,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await unlessOthersAreAtIt(
    () => engine.volumes.remove(name, { signal }),
    async () => {
      const users = await engine.containers.list({ all: true, filters: { volume: [name] }, signal });
      return users.every(({ State }) => State.toLowerCase() === "removing");
    },
    signal,
  );
}

/** Tries again while a refusal is the doing of others, who will have it removed. */
async function unlessOthersAreAtIt(
  remove: () => Promise<void>,
  isOthersDoing: () => Promise<boolean>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadline = Date.now() + patienceMilliseconds;
  for (let mayHaveChanged = true; ;) {
    try {
      await remove();
      return;
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      if (error.status === 404) return;
      if (error.status !== 409 || Date.now() > deadline) throw error;
      // The state is asked for a moment after the refusal, whose reason may be over by then.
      const isWaiting = await isOthersDoing();
      if (!isWaiting && !mayHaveChanged) throw error;
      mayHaveChanged = isWaiting;
    }
    await sleep(pauseMilliseconds, signal);
  }
}

/** `removing` also of a container that is gone. */
async function stateOf(engine: EngineClient, id: string, signal: AbortSignal | undefined): Promise<string> {
  try {
    return (await engine.containers.inspect(id, { signal })).State.Status;
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return "removing";
    throw error;
  }
}
