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
    (refusal) => saysInOrder(refusal.message, "removal ", "in progress"),
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
    async (refusal) => {
      const users = usersOf(refusal.message);
      const isThere = await Promise.all(users.map((id) => exists(engine, id, signal)));
      return users.length > 0 && !isThere.includes(true);
    },
    signal,
  );
}

/** Tries again while a refusal is the doing of others, who will have it removed. */
async function unlessOthersAreAtIt(
  remove: () => Promise<void>,
  isOthersDoing: (refusal: EngineError) => boolean | Promise<boolean>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadline = Date.now() + patienceMilliseconds;
  for (;;) {
    try {
      await remove();
      return;
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      if (error.status === 404) return;
      if (error.status !== 409 || Date.now() > deadline || !(await isOthersDoing(error))) throw error;
    }
    await sleep(pauseMilliseconds, signal);
  }
}

function saysInOrder(message: string, first: string, second: string): boolean {
  const text = message.toLowerCase();
  const at = text.indexOf(first);
  return at >= 0 && text.includes(second, at + first.length);
}

/** The containers that a refusal names: `volume is in use - [id, id]`. */
function usersOf(message: string): string[] {
  const said = message.toLowerCase().indexOf("in use");
  const open = said < 0 ? -1 : message.indexOf("[", said);
  const close = open < 0 ? -1 : message.indexOf("]", open);
  return close < 0 ? [] : message.slice(open + 1, close).split(/[,\s]+/);
}

async function exists(engine: EngineClient, id: string, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await engine.containers.inspect(id, { signal });
    return true;
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return false;
    throw error;
  }
}
