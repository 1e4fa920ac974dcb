import type { Plugin } from "esbuild";

export declare const directImports: Plugin;
