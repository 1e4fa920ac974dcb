import { readFile, readdir, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PrivateEngine } from "../support/private-engine.js";
import { mostMebibytes } from "../support/slipway.js";
import { Workplace, eventually } from "../support/workplace.js";

/** An engine that is killed (-9) in the middle of builds. */
describe.runIf(PrivateEngine.isPossible)("an engine that dies", () => {
  let engine: PrivateEngine;
  let place: Workplace;
  let builder: string;

  beforeAll(async () => {
    engine = await PrivateEngine.start();
    place = await Workplace.open("engine", { dockerHost: engine.host });
    builder = await place.builder("b", "--driver-opt", "network=host", "--use", "--bootstrap");
  });

  afterAll(async () => {
    await place.close();
    await engine.close();
  });

  const build = (dir: string, ...flags: string[]) =>
    place.start(["build", "--builder", builder, "--progress", "plain", ...flags, dir]);

  /** The build says that it was the engine, and nothing that only a programmer understands. */
  async function namesTheEngine(running: ReturnType<typeof build>) {
    const { exitCode, stderr, peakMebibytes } = await running.result;
    expect(exitCode, stderr).toBe(1);
    expect(peakMebibytes).toBeLessThan(mostMebibytes);
    expect(stderr).toContain(`ERROR: failed to build: the engine at ${engine.host} does not answer`);
    expect(stderr).not.toMatch(/^\s+at /m);
  }

  /** The engine is up again, and so is the builder. */
  async function worksAgain() {
    await engine.restart();
    const dir = await place.context({ Dockerfile: "FROM busybox\nRUN true\n" });
    const { exitCode, stderr } = await build(dir).result;
    expect(exitCode, stderr).toBe(0);
  }

  async function largeResult(): Promise<string> {
    return place.context({
      Dockerfile:
        'FROM busybox AS make\nRUN dd if=/dev/urandom of=/large bs=1M count=400\nFROM scratch\nCOPY --from=make /large /\nCMD ["/large"]\n',
    });
  }

  // All in one, since an engine takes long to start when there are containers that it must end first.
  it("FLT-1 FLT-2 FLT-8 FLT-9 in a step, an upload, and exports to a file and a directory, which keep what they had", async () => {
    const large = await largeResult();
    await build(large, "-o", "type=cacheonly").result;
    const stepping = await place.context({ Dockerfile: "FROM busybox\nRUN echo begun && sleep 100000\n" });
    const uploading = await place.context({ Dockerfile: "FROM scratch\nCOPY large /\n", large: "" });
    await truncate(path.join(uploading, "large"), 64 * 2 ** 30);
    const dirs = [
      await place.context({ large: "from before" }),
      await place.context({ large: "from before" }),
    ];
    const [file = "", directory = ""] = dirs;

    const running = [build(stepping), build(uploading)];
    await running[0]?.said(/ begun$/m);
    await running[1]?.said(/transferring context: [\d.]+[MG]B/);
    running.push(build(large, "-o", `type=tar,dest=${file}/large`), build(large, "-o", directory));
    for (const dir of dirs) await eventually(async () => (await readdir(dir)).length > 1);
    await engine.kill();

    for (const each of running) await namesTheEngine(each);
    for (const dir of dirs) {
      expect(await readFile(path.join(dir, "large"), "utf8")).toBe("from before");
      expect(await readdir(dir)).toEqual(["large"]);
    }
    await worksAgain();
  });

  it("FLT-23 while it loads the image", async () => {
    const dir = await largeResult();
    const running = build(dir, "--load", "-t", "died:1");
    await running.said(/loading layer/);
    await engine.kill();
    const { exitCode, stderr } = await running.result;
    expect(exitCode, stderr).toBe(1);
    expect(stderr).toMatch(/^ERROR: .*engine/m);
    expect(stderr).not.toMatch(/^\s+at /m);
    await worksAgain();
    await expect(place.engine.images.inspect("died:1")).rejects.toMatchObject({ status: 404 });
  });

  it("FLT-1 before anything is asked of it", async () => {
    await engine.kill();
    const dir = await place.context({ Dockerfile: "FROM busybox\n" });
    await writeFile(path.join(dir, "out.tar"), "from before");
    const { exitCode, stderr } = await build(dir, "-o", `type=tar,dest=${dir}/out.tar`).result;
    expect(exitCode, stderr).toBe(1);
    expect(stderr).toContain(engine.host);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(await readFile(path.join(dir, "out.tar"), "utf8")).toBe("from before");
    await worksAgain();
  });
});
