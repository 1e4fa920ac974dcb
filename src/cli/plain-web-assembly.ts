/** V8's name for how much WebAssembly may run before it is optimized, and what it is when nobody sets it. */
const budgetFlag = "--wasm-tiering-budget";
const defaultBudget = 1_800_000;
/** Versions of Node that this is the default of, and so known not to complain about the flag on stderr. */
const isKnown = /^(20|22|24)\./.test(process.versions.node);

interface WebAssemblyFace {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports?: object) => object;
}
const native = (globalThis as unknown as { WebAssembly: WebAssemblyFace }).WebAssembly;

/**
 * Stands for the global `WebAssembly` in the bundled command (scripts/bundle.mjs puts it there): modules are compiled, but not
 * optimized while they run. The only one is undici's HTTP parser, which V8 would optimize as soon as it has read some headers:
 * 70 ms of processor time that no command gets back.
 *
 * The flag is set for the moment only: V8 takes code that was cached under other flags for unusable, ours and Node's own.
 */
const PlainWebAssembly = {
  Module: function (bytes: Uint8Array): object {
    if (!isKnown) return new native.Module(bytes);
    // Not imported: most commands need no HTTP parser.
    const { setFlagsFromString } = process.getBuiltinModule("node:v8");
    setFlagsFromString(`${budgetFlag}=1000000000`);
    try {
      return new native.Module(bytes);
    } finally {
      setFlagsFromString(`${budgetFlag}=${defaultBudget}`);
    }
  },
  Instance: native.Instance,
};

export { PlainWebAssembly as WebAssembly };
