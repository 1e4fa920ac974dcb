import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { engineEnv } from "../support/engine-env.js";
import { Workplace } from "../support/workplace.js";

/** What every engine must be good for: this file runs on each that the testbed has. */
describe(`the engine ${engineEnv().engine}`, () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await Workplace.open("engines");
  });
  afterAll(() => place.close());

  it("has a builder created, builds, loads what has changed, exports, stops and removes", async () => {
    const builder = await place.builder("b", "--driver-opt", "network=host", "--bootstrap");
    expect((await place.succeed(["ls"])).stdout).toMatch(new RegExp(`${builder}0 .* running `));
    const dir = await place.context({
      Dockerfile: 'FROM busybox\nCOPY big /\nCOPY greeting /\nRUN cat /greeting\nCMD ["cat", "/greeting"]\n',
      greeting: "",
      big: Buffer.alloc(2 << 20, "big"),
    });
    const out = path.join(await place.context({}), "out");
    const tag = `${place.id}:1`;
    for (const greeting of ["one\n", "two\n"]) {
      await writeFile(path.join(dir, "greeting"), greeting);
      await place.succeed(["build", "--builder", builder, "--load", "-t", tag, "-o", out, dir]);
      expect(await place.output(tag)).toBe(greeting);
      expect(await readFile(path.join(out, "greeting"), "utf8")).toBe(greeting);
    }
    await place.succeed(["stop", builder]);
    const again = await place.succeed(["build", "--builder", builder, "--progress", "plain", dir]);
    expect(again.stderr).toMatch(/COPY greeting \/\n#\d+ CACHED/);
    await place.succeed(["rm", builder]);
    await place.engine.images.remove(tag, { force: true });
  });

  it("refuses an image that is not there, in its own words", async () => {
    const builder = await place.builder("none", "--driver-opt", "image=192.0.2.1:5000/no/such:image");
    const { exitCode, stderr } = await place.run(["inspect", "--bootstrap", builder]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^ERROR: .*(not found|manifest unknown|no such image)/im);
    await place.succeed(["rm", builder]);
  });
});
