/**
 * What is made once in a process. Test files of one project share a process, and set-up files run anew for each of them: what they
 * hook into Node must not pile up.
 */
export function perProcess<T>(name: string, make: () => T): T {
  const store = globalThis as unknown as Record<symbol, T | undefined>;
  return (store[Symbol.for(`slipway.test.${name}`)] ??= make());
}
