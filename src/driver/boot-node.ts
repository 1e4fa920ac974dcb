import { requireSupportedVersion } from "../buildkit/index.js";
import type { EventSink } from "../core/index.js";
import type { Driver } from "./driver.js";

/**
 * Makes a node's daemon run and answer, without doing anything with it.
 *
 * @throws DriverError when it cannot be booted, BuildkitError for one that is too old.
 */
export async function bootNode(
  driver: Driver,
  { sink, signal }: { sink?: EventSink | undefined; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const client = await driver.connect({ sink, signal });
  try {
    requireSupportedVersion((await client.info({ signal })).version);
  } finally {
    await client.close();
  }
}
