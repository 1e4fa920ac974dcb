import type { Plugin } from "esbuild";

export function directImports(used?: () => void): Plugin;

/** The text of a file with its imports from indexes replaced; throws for a form that cannot be read. */
export function readDirectImports(file: string, text: string, origins?: Map<string, unknown>): string;
