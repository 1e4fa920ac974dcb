// Not every realm has the symbols of `using`: on Node 20 and 22 the vm contexts that test runners make (vitest's vmThreads, Jest)
// lack them, since it is Node that adds them to the main one. scripts/library.mjs puts these in their place everywhere; where
// they are missing, they are what esbuild's and core-js's `using` look for.
const { asyncDispose, dispose } = Symbol;

export const slipwayAsyncDispose: symbol = asyncDispose ?? Symbol.for("Symbol.asyncDispose");
export const slipwayDispose: symbol = dispose ?? Symbol.for("Symbol.dispose");
