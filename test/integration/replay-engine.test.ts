import { afterAll, beforeAll, expect, test } from "vitest";
import { ReplayPlace } from "../support/replay-place.js";
import { engineEnv } from "../support/engine-env.js";

/** Replays by an engine's own BuildKit of what a container builder has built. */
let place: ReplayPlace;

beforeAll(async () => {
  place = await ReplayPlace.open("replay-engine");
}, 180_000);

afterAll(() => place?.[Symbol.asyncDispose]());

test("another builder gives the same bytes; one that cannot pin sources is refused by name", async () => {
  const layout = place.work.path("layout");
  const url = await place.serve("engine", { Dockerfile: "FROM busybox\nRUN echo made >/made\n" });
  await place.succeed([
    ...["build", `--output=type=oci,dest=${layout},tar=false,rewrite-timestamp=true`],
    ...["--provenance=mode=max", "--build-arg=SOURCE_DATE_EPOCH=0", url],
  ]);
  const run = (...args: string[]) => place.work.run(["--builder", "default", "replay", ...args]);
  // The BuildKit of this engine is older than source policies, and would leave them out.
  const isOld = engineEnv().engine === "docker";
  const built = await run("build", layout, "--output=type=cacheonly");
  expect(built.exitCode, built.stderr).toBe(isOld ? 1 : 0);
  if (isOld) expect(built.stderr).toContain("this BuildKit cannot pin sources");
  // One of another release may pack the same files otherwise.
  if (engineEnv().engine !== "docker-29") return;
  const verified = await run("verify", layout);
  expect(verified.exitCode, verified.stderr).toBe(0);
  expect(verified.stderr).toContain("the replay is equal: sha256:");
});
