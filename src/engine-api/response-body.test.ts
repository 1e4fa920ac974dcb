import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { setImmediate as nextTurn, setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { FakeEngine } from "../../test/support/fake-engine.js";
import { EngineClient } from "./client.js";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
/** So often it is looked how much is held: what each Node leaves lying about until then is its own matter. */
const lookMebibytes = 8;

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
    let length = 0;
    let looks = 0;
    collectGarbage();
    const before = process.memoryUsage();
    const cpu = process.cpuUsage();
    for await (const chunk of (await engine.images.save(["app:1"])) as AsyncIterable<Buffer>) {
      got.update(chunk);
      length += chunk.length;
      await nextTurn();
      if (length < (looks + 1) * lookMebibytes * 2 ** 20) continue;
      looks++;
      collectGarbage();
      // Memory of buffers is given back in the background.
      await setTimeout(20);
      collectGarbage();
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
  expect(large.peakMebibytes).toBeLessThan(16);
  expect(large.milliseconds).toBeLessThan(small.milliseconds * 8 + 500);
});
