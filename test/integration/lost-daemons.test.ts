import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type BuildOptions, Builder, build, connect, files, tar } from "../../src/index.js";
import { endlessArchive, stuckStream } from "../support/half-way.js";
import { Workplace, eventually } from "../support/workplace.js";

// What a daemon that dies leaves of a build, by driver and by what it was doing. FLT-7 to FLT-9 are those of the command.

let place: Workplace;
/** The container whose daemon dies. */
let container: string;
const builders = new Map<string, Builder>();

beforeAll(async () => {
  place = await Workplace.open("lost-daemons");
  const { env } = place;
  const own = await place.builder("own", "--driver-opt", "network=host", "--bootstrap");
  container = place.container(own);
  const remote = `${place.id}-remote`;
  await place.succeed(["create", "--name", remote, "--driver", "remote", `docker-container://${container}`]);
  builders.set("docker-container", await Builder.open({ name: own, env }));
  builders.set("remote", await Builder.open({ name: remote, env }));
}, 120_000);
afterAll(() => place.close());

describe.each(["docker-container", "remote"])("%s: a daemon that dies", (driver) => {
  // It was killed by the test before. Docker 20.10 may take it for one that has ended once more, so it is booted until it answers.
  beforeEach(async () => {
    const connection = await connect({ builder: builders.get("docker-container")!, env: place.env });
    await connection.close();
  });

  /** Starts a build, kills the daemon when the build is in the middle, and gives what it fails with. */
  async function failureOf(middle: Promise<unknown>, options: BuildOptions): Promise<unknown> {
    const builder = builders.get(driver)!;
    const failure = build({ builder, env: place.env, ...options }).then(
      () => undefined,
      (error: unknown) => error,
    );
    await Promise.race([middle, failure]);
    await place.engine.containers.kill(container);
    // Started before it has ended, it would not be started again.
    await place.engine.containers.wait(container, { condition: "not-running" });
    return failure;
  }

  const isLost = (error: unknown) => {
    expect(error, String(error)).toMatchObject({ code: "BUILDER_LOST" });
    expect((error as Error).message).toMatch(/ is gone| stopped with exit code 137/);
  };

  it("while an archive goes up: its stream is let go of", async () => {
    const { archive, middle } = endlessArchive();
    isLost(await failureOf(middle, { context: tar(archive), outputs: [{ type: "cacheonly" }] }));
    expect(archive.destroyed).toBe(true);
  });

  it("in a step", async () => {
    const context = files({ Dockerfile: "FROM busybox\nRUN echo begun && sleep 454545\n" });
    let begun = () => {};
    const middle = new Promise<void>((resolve) => (begun = resolve));
    const failure = await failureOf(middle, {
      context,
      outputs: [{ type: "cacheonly" }],
      onEvent: (event) => void (event.type === "status" && event.logs.length > 0 && begun()),
    });
    isLost(failure);
  });

  const large = files({
    Dockerfile:
      "FROM busybox AS make\nRUN dd if=/dev/zero of=/large bs=1M count=400\nFROM scratch\nCOPY --from=make /large /\n",
  });

  it("while the result comes out into a stream: that fails with it", async () => {
    const { dest, middle } = stuckStream();
    isLost(await failureOf(middle, { context: large, outputs: [{ type: "tar", dest }] }));
    expect(dest.destroyed).toBe(true);
  });

  it("while the result goes into a directory: nothing is left half there", async () => {
    const dest = await place.context({});
    const middle = eventually(async () => (await readdir(dest)).length > 0);
    const failure = await failureOf(middle, { context: large, outputs: [{ type: "local", dest }] });
    isLost(failure);
    expect((await readdir(dest)).filter((name) => name.includes("large") || name.startsWith("."))).toEqual(
      [],
    );
  });
});
