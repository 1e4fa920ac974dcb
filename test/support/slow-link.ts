import { Duplex } from "node:stream";
import type { Dial } from "../../src/core/index.js";

/** A way to the same place on which every packet takes so many ms, in both directions; as many as one likes are on the way at once. */
export function slowLink(dial: Dial, milliseconds: number): Dial {
  return async (signal) => {
    const near = await dial(signal);
    const timers = new Set<NodeJS.Timeout>();
    const later = (work: () => void) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        work();
      }, milliseconds);
      timers.add(timer);
    };
    const far = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        later(() => near.write(chunk));
        done();
      },
      final(done) {
        later(() => near.end());
        done();
      },
      destroy(error, done) {
        for (const timer of timers) clearTimeout(timer);
        near.destroy();
        done(error);
      },
    });
    near.on("data", (chunk: Buffer) => later(() => far.push(chunk)));
    near.on("end", () => later(() => far.push(null)));
    near.on("error", (error) => far.destroy(error));
    return far;
  };
}
