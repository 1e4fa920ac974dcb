import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { FakeEngine } from "../../test/support/fake-engine.js";
import { EngineClient } from "./client.js";

/** Saves an "image" that the engine writes in pieces of that size, and takes it slowly. */
async function save(megabytes: number, piece: number) {
  await using fake = await FakeEngine.start();
  const sent = createHash("sha256");
  fake.on("GET", "/images/get", ({ response }) => {
    const pieces = function* () {
      for (let at = 0; at < megabytes << 20; at += piece) {
        const bytes = Buffer.alloc(piece, at / piece);
        sent.update(bytes);
        yield bytes;
      }
    };
    Readable.from(pieces()).pipe(response);
  });
  const engine = EngineClient.open({ host: fake.host });
  try {
    const got = createHash("sha256");
    let peak = 0;
    const before = process.memoryUsage();
    const cpu = process.cpuUsage();
    for await (const chunk of (await engine.images.save(["app:1"])) as AsyncIterable<Buffer>) {
      got.update(chunk);
      await nextTurn();
      const { arrayBuffers } = process.memoryUsage();
      peak = Math.max(peak, arrayBuffers - before.arrayBuffers);
    }
    const { user } = process.cpuUsage(cpu);
    expect(got.digest("hex")).toBe(sent.digest("hex"));
    return { milliseconds: user / 1000, peakMebibytes: peak / 2 ** 20 };
  } finally {
    await engine.close();
  }
}

test.each([
  ["large", 32 * 1024],
  ["small", 700],
])("MEM-16 a body in %s pieces, taken slowly, takes linear time and bounded memory", async (_, piece) => {
  const small = await save(16, piece);
  const large = await save(64, piece);
  expect(large.peakMebibytes).toBeLessThan(64);
  expect(large.milliseconds).toBeLessThan(small.milliseconds * 8 + 500);
});
