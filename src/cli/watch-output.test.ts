import { Writable } from "node:stream";
import { expect, it } from "vitest";
import { watchOutput } from "./watch-output.js";

function failing(code: string): Writable {
  return new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error(`write ${code}`), { code }));
    },
  });
}

it("FLT-38 notes that the reader has gone", async () => {
  const stream = failing("EPIPE");
  const watch = watchOutput(stream);
  expect(watch.broken).toBe(false);
  stream.write("x");
  await new Promise((resolve) => stream.once("close", resolve));
  expect(watch.broken).toBe(true);
  expect(watch.failure).toBeUndefined();
});

it("takes no other failure for that", async () => {
  const stream = failing("ENOSPC");
  const watch = watchOutput(stream);
  stream.write("x");
  expect(watch.failure).toMatchObject({ code: "ENOSPC" });
  await new Promise((resolve) => stream.once("close", resolve));
  expect(watch.broken).toBe(false);
  expect(watch.failure).toMatchObject({ code: "ENOSPC" });
});

it("FLT-38 notes it also of a stream that forgets its error, as Node's own standard output does", async () => {
  const stream = failing("EPIPE");
  const watch = watchOutput(stream);
  const told = new Promise((resolve) => stream.once("error", resolve));
  stream.write("x");
  await told;
  Object.defineProperty(stream, "errored", { value: null });
  expect(watch.broken).toBe(true);
});
