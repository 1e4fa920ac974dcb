/**
 * What `make` gave first in this process, for all copies of this library: `import` and `require` give one each, and so may
 * bundles. Its shape may not change from version to version under the same name.
 */
export function processWide<T>(name: string, make: () => T): T {
  const key = Symbol.for(name);
  const all = process as unknown as Record<symbol, T | undefined>;
  return (all[key] ??= make());
}
