import type { Plugin } from "esbuild";

/** A plugin that has a file of a package, which is one function, loaded when it is first called. */
export function lazyFunction(owner: string, file: string): (used: () => void) => Plugin;
