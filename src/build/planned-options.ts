import type { BuildOptions } from "./build-options.js";
import type { ContextSource } from "./contexts.js";
import type { FetchedContext } from "./fetched-source.js";

/** Options of a build whose contexts may also be parts of what a definition was fetched from. */
export type PlannedOptions = Omit<BuildOptions, "context" | "buildContexts"> & {
  context: string | ContextSource | FetchedContext;
  buildContexts?: Readonly<Record<string, string | ContextSource | FetchedContext | undefined>>;
};
