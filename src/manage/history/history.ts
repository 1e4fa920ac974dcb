import type { Builder } from "../../builder/index.js";
import type { Environment } from "../../config/index.js";
import type { EventSink } from "../../core/index.js";
import type { BuildHistory } from "./build-history.js";

/** Whose builds {@link history} opens. */
export interface HistoryOptions {
  /** A builder's name, or a builder; default the current one. */
  builder?: string | Builder | undefined;
  /** Default `process.env`. */
  env?: Environment | undefined;
  /** Gets the boot of a builder that does not run yet. */
  onEvent?: EventSink | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Opens the history of a builder: what it remembers of the builds it ran. Boots the nodes that do not run, as buildx does.
 * Close it when done.
 *
 * @throws StoreError for a builder that is not there; DriverError for one that cannot be booted.
 */
export async function history(options: HistoryOptions = {}): Promise<BuildHistory> {
  // Loaded when first asked for, so that importing the library costs nothing to speak of.
  const { openHistory } = await import("./build-history.js");
  return openHistory(options);
}
