import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ReplayPlace } from "../support/replay-place.js";

/** `npm run test:versions`: replays on older daemons, which pin sources by rules of a source policy where they do not ask about them. */
const versions = (process.env["TESTBED_BUILDKITS"] ?? "").split(" ").filter(Boolean);

describe.each(versions)("BuildKit %s", (version) => {
  const [, minor = ""] = version.replace(/^v/, "").split(".");
  const asks = Number(minor) >= 27;
  let place: ReplayPlace;

  beforeAll(async () => {
    place = await ReplayPlace.open("replay", { image: `moby/buildkit:${version}` });
  }, 180_000);

  afterAll(() => place?.[Symbol.asyncDispose]());

  const Dockerfile = "FROM scratch\nCOPY --from=ctx /bin/busybox /bin/busybox\n";
  const context = ["--build-context", "ctx=docker-image://busybox"];
  let count = 0;
  const oci = () => `--output=type=oci,dest=${place.work.path(`replayed${++count}.tar`)}`;

  test("an http context is pinned, and one that has changed fails", async () => {
    const image = place.image("http");
    await place.build(image, await place.serve("http", { Dockerfile }), ...context);
    await place.succeed(["replay", "verify", image]);
    await place.prune();
    await place.succeed(["replay", "build", image, oci()]);
    await place.serve("http", { Dockerfile: `${Dockerfile}# changed\n` });
    await place.prune();
    expect(await place.refused(["replay", "build", image, oci()])).toContain("digest mismatch");
    await place.succeed(["replay", "build", image, "--replay-mode=frontend", oci()]);
  });

  test("a branch that has moved fails, or is built at the commit that was recorded", async () => {
    const image = place.image("git");
    const { repository, url } = place.repository("app");
    repository.commit({ Dockerfile: "FROM scratch\nCOPY foo /foo\n", foo: "recorded" }, "first");
    await place.build(image, `${url}#main`);
    repository.commit({ foo: "changed" }, "move");
    await place.prune();
    const out = place.work.path("out");
    const args = ["replay", "build", image, `--output=type=local,dest=${out}`];
    if (asks) expect(await place.refused(args)).toContain("expected checksum to match");
    else {
      await place.succeed(args);
      expect(await readFile(`${out}/foo`, "utf8")).toBe("recorded");
    }
  });

  test("a source that was not recorded is refused", async () => {
    const image = place.image("unrecorded");
    const url = await place.serve("unrecorded", { Dockerfile });
    await place.build(image, url, ...context);
    const { stdout } = await place.succeed([
      ...["imagetools", "inspect", image, "--format", "{{json .Provenance.SLSA}}"],
    ]);
    const predicate = place.work.path("predicate.json");
    await writeFile(predicate, stdout.replaceAll("pkg:docker/busybox", "pkg:docker/other"));
    expect(await place.refused(["replay", "build", predicate, oci()])).toMatch(
      asks ? /replay pin: no provenance material matched requested source/ : /denied by policy/,
    );
  });

  test("stores of materials are read, or refused by name", async () => {
    const image = place.image("stores");
    await place.build(image, await place.serve("stores", { Dockerfile }), ...context);
    const snapshot = place.work.path("snapshot");
    await place.succeed(["replay", "snapshot", image, "--output", snapshot]);
    await place.prune();
    place.served.delete("/stores.tar");
    const args = ["replay", "build", image, `--materials=oci-layout://${snapshot}`, oci()];
    if (asks) await place.succeed(args);
    else expect(await place.refused(args)).toContain("needs 0.27 or later");
  });
});
