import type { BuildOptions, Plugin } from "esbuild";

/** The tricks that are a matter of bundling, by name. */
export declare const tricks: Readonly<
  Record<
    string,
    {
      plugin?: (used: () => void) => Plugin;
      inject?: string;
      define?: Readonly<Record<string, string>>;
      rewrite?: (text: string, used: () => void) => string;
    }
  >
>;

/** What esbuild is told for all but those named, what is done with its bundle, and a check that each has changed something. */
export function startupOptions(without?: readonly string[]): {
  options: Pick<BuildOptions, "plugins" | "inject" | "define">;
  rewrite: (text: string) => string;
  checkUse: (inputs: readonly string[]) => void;
};
