import { nextTurn, throwIfAborted } from "../core/index.js";
import { type FilterOptions, TreeFilter } from "./filter.js";
import type { TreeSource } from "./tree-source.js";
import { TreeWalker, type WalkEntry } from "./walk.js";

/** How long the event loop may be held at a time, in milliseconds. */
const slice = 8;

/**
 * The wanted entries of a tree in the order in which they are sent. Gives way to the event loop every 8 ms.
 * @throws WalkError for what cannot be read, AbortedError.
 */
export async function* walkTree(
  source: TreeSource,
  options: FilterOptions & { signal?: AbortSignal } = {},
): AsyncGenerator<WalkEntry> {
  const walker = new TreeWalker(source, new TreeFilter(source, options));
  try {
    for (;;) {
      throwIfAborted(options.signal);
      const deadline = performance.now() + slice;
      for (;;) {
        const entry = walker.next(deadline);
        if (entry === undefined) return;
        if (entry === "pause") break;
        yield entry;
        if (performance.now() > deadline) break;
      }
      await nextTurn();
    }
  } finally {
    walker.close();
  }
}
