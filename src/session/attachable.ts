import type { ServerCall } from "../http2/index.js";

/** One or more services that a session offers to the builder (buildkit session.Attachable). */
export interface Attachable {
  /**
   * Full method names as the builder is told them, e.g. `/moby.filesync.v1.FileSync/DiffCopy`. The builder calls them
   * in any case (it asks for `/moby.filesync.v1.FileSync/diffcopy`), so they are matched without regard to it.
   */
  readonly methods: readonly string[];
  /**
   * Serves one call of one of the methods. What it throws becomes the call's status (see `statusOf`); returning
   * without having called `end` ends it with OK.
   */
  handle(call: ServerCall): Promise<void>;
}
