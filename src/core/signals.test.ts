import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { expect, test } from "vitest";
import { DeadlineError } from "./errors.js";
import { orAborted } from "./signals.js";

test("what fails after the abort is the abort's, and before it its own", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const own = new Error("own");
  await expect(orAborted(signal, Promise.reject(own))).rejects.toBe(own);
  await expect(orAborted(undefined, Promise.reject(own))).rejects.toBe(own);
  const copied = orAborted(signal, pipeline(new PassThrough(), new PassThrough(), { signal }));
  controller.abort("enough");
  await expect(copied).rejects.toMatchObject({ code: "ABORTED", cause: "enough" });
  await expect(orAborted(signal, Promise.reject(own))).rejects.toMatchObject({ code: "ABORTED" });
  expect(await orAborted(signal, Promise.resolve(1))).toBe(1);
});

test("a deadline stays what it is", async () => {
  const late = new DeadlineError("it", 10);
  await expect(orAborted(AbortSignal.abort(late), Promise.reject(new Error("own")))).rejects.toBe(late);
});
