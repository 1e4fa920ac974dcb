/** V8's name for how much WebAssembly may run before it is optimized. */
const budgetFlag = "--wasm-tiering-budget";

/**
 * What it is when nobody sets it, by major version of Node (`node --v8-options`). Of other versions it is not known, nor that
 * they do not complain about the flag on stderr.
 */
const defaultBudgets: Readonly<Record<string, number>> = {
  20: 1_800_000,
  22: 13_000_000,
  24: 13_000_000,
  26: 13_000_000,
};
const defaultBudget = defaultBudgets[process.versions.node.split(".", 1)[0] ?? ""];

interface WebAssemblyFace {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports?: object) => object;
}
const native = (globalThis as unknown as { WebAssembly: WebAssemblyFace }).WebAssembly;

/**
 * Stands for the global `WebAssembly` in the bundled command (tricks.mjs puts it there): modules are compiled, but not
 * optimized while they run. The only one is undici's HTTP parser, which V8 would optimize as soon as it has read some headers:
 * 70 ms of processor time that no command gets back.
 *
 * The flag is set for the moment only: V8 takes code that was cached under other flags for unusable, ours and Node's own. What
 * is put back must be the very default: with any other value, what is kept at the end is refused at the next start.
 */
const PlainWebAssembly = {
  Module: function (bytes: Uint8Array): object {
    if (defaultBudget === undefined) return new native.Module(bytes);
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
