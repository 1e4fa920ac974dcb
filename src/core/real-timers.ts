// Test suites put fake timers in the place of the global ones, which no daemon waits for: with `setImmediate` faked, as vitest
// and sinon do unless told otherwise, a build would never end. scripts/library.mjs puts these in their place everywhere. They
// are taken when the library is loaded, from Node's module, which is left alone by most that fake the global ones before.
import * as timers from "node:timers";

export const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate } = timers;
export const { Date } = globalThis;

const { performance } = globalThis;
/** `performance.now` */
export const slipwayNow: () => number = performance.now.bind(performance);
