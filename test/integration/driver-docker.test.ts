import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build, connect, files } from "../../src/index.js";
import { engineEnv } from "../support/engine-env.js";
import { Workplace } from "../support/workplace.js";

const testbed = engineEnv();
const { buildx } = testbed;
const isPodman = testbed.engine.includes("podman");

describe.skipIf(isPodman)(`the engine's own BuildKit (driver docker) on ${testbed.engine}`, () => {
  let place: Workplace;
  let isContainerd: boolean;
  let isOld: boolean;
  beforeAll(async () => {
    place = await Workplace.open("moby");
    const { DriverStatus } = await place.engine.info();
    isContainerd = JSON.stringify(DriverStatus).includes("io.containerd");
    isOld = (await place.engine.version()).Version.startsWith("20.");
    await place.engine.images.pull("busybox");
  });
  afterAll(() => place.close());

  const dockerfile = 'FROM busybox\nCOPY greeting /\nRUN cat /greeting\nCMD ["cat", "/greeting"]\n';
  const app = () => place.context({ Dockerfile: dockerfile, greeting: "ahoy\n" });
  const builtWithBuildx = (args: readonly string[]) =>
    promisify(execFile)(buildx ?? "buildx", ["build", ...args], { env: { ...process.env, ...place.env } });

  it("is the builder where none was made: what is built is in the engine, as buildx has it", async () => {
    const dir = await app();
    const tag = `${place.id}:1`;
    const { stderr } = await place.succeed(["build", "--progress", "plain", "-t", tag, dir]);
    // Provenance tells times, and makes an image of its own each time.
    const plain = "--provenance=false";
    expect(stderr).toContain('#0 building with "default" instance using docker driver');
    expect(stderr).not.toContain("WARNING: No output");
    expect(await place.output(tag)).toBe("ahoy\n");
    const iid = place.path("iid");
    await place.succeed(["build", "--iidfile", iid, plain, "-t", tag, dir]);
    const { Id } = await place.engine.images.inspect(tag);
    expect(await readFile(iid, "utf8")).toBe(Id);
    // Everything is cached, so that equal options give equal images.
    const theirs = place.path("theirs");
    await builtWithBuildx(["--iidfile", theirs, plain, "-t", `${tag}-buildx`, dir]);
    expect(await readFile(theirs, "utf8")).toBe(Id);
    await place.engine.images.remove(`${tag}-buildx`);
  });

  it("--load changes nothing, and bases come from the engine's store", async () => {
    const dir = await app();
    const base = `${place.id}-base:1`;
    await place.succeed(["build", "--load", "-t", base, dir]);
    const child = await place.context({ Dockerfile: `FROM ${base}\nRUN test -e /greeting\n` });
    await place.succeed(["build", "-t", `${place.id}-child`, child]);
    await expect(place.engine.images.inspect(`${place.id}-child`)).resolves.toBeDefined();
    for (const name of [base, `${place.id}-child`]) await place.engine.images.remove(name, { force: true });
  });

  it("exports a directory and an archive of files", async () => {
    const dir = await app();
    const out = path.join(await place.context({}), "out");
    await place.succeed(["build", "-o", out, dir]);
    expect(await readFile(path.join(out, "greeting"), "utf8")).toBe("ahoy\n");
    const { stdout } = await place.succeed(["build", "-o", "type=tar,dest=-", dir]);
    expect(stdout).toContain("greeting");
  });

  it("--push brings the image into its registry, and tells its digest", async () => {
    const dir = await app();
    const tag = `${testbed.registry}/${place.id}/pushed:1`;
    const metadata = place.path("metadata.json");
    const { stderr } = await place.succeed([
      ...["build", "--progress", "plain", "--push", "-t", tag, "--metadata-file", metadata, dir],
    ]);
    if (!isContainerd) expect(stderr).toContain(`pushing ${tag} with docker`);
    const { "containerimage.digest": digest } = JSON.parse(await readFile(metadata, "utf8")) as Record<
      string,
      string
    >;
    const accept = [
      "application/vnd.docker.distribution.manifest.v2+json",
      "application/vnd.oci.image.manifest.v1+json",
      "application/vnd.oci.image.index.v1+json",
    ].join(",");
    const served = await fetch(`http://${testbed.registry}/v2/${place.id}/pushed/manifests/1`, {
      headers: { accept },
    });
    expect(served.headers.get("docker-content-digest")).toBe(digest);
    await place.engine.images.remove(tag, { force: true });
  });

  it("refuses what the classic store cannot do, in buildx's words and before anything is sent", async () => {
    const dir = await app();
    const rows: [what: string, ...args: string[]][] = [
      ["Multi-platform build", "--platform", "linux/amd64,linux/arm64"],
      ["Attestation", "--attest", "type=provenance"],
      ["OCI exporter", "-o", `type=oci,dest=${place.path("refused.tar")}`],
      ["Docker exporter", "-o", `type=docker,dest=${place.path("refused.tar")}`],
      ["Cache export", "--cache-to", `type=local,dest=${place.path("refused")}`],
    ];
    for (const [what, ...args] of rows) {
      const { exitCode, stderr } = await place.run(["build", ...args, dir]);
      if (isContainerd) {
        // Emulation may be missing for the other platform.
        if (what !== "Multi-platform build") expect(exitCode, stderr).toBe(0);
        continue;
      }
      expect(exitCode, stderr).toBe(1);
      expect(stderr).toContain(`${what} is not supported for the docker driver.`);
      expect(stderr).toContain("turn on the containerd image store");
    }
  });

  it("--add-host NAME:host-gateway is the engine's address where it tells that", async () => {
    const dir = await place.context({ Dockerfile: "FROM busybox\nRUN grep gate /etc/hosts\n" });
    const { exitCode, stderr } = await place.run(["build", "--add-host", "gate:host-gateway", dir]);
    if (isOld)
      expect(stderr).toContain("unable to derive the IP value for host-gateway: host-gateway IP not found");
    else expect(exitCode, stderr).toBe(0);
  });

  it("is listed, inspected and asked as other builders are; removing it is refused, stopping it nothing", async () => {
    const version = isOld ? "v0\\.8\\+unknown" : "v\\d+\\.\\d+\\.\\d+";
    expect((await place.succeed(["ls"])).stdout).toMatch(
      new RegExp(`^default\\* +docker *\\n \\\\_ default +\\\\_ default +running +${version}`, "m"),
    );
    expect((await place.succeed(["inspect"])).stdout).toMatch(/^Driver: +docker$/m);
    expect((await place.succeed(["du"])).stdout).toContain("Total:");
    await place.succeed(["prune", "--force", "--filter", "id=none"]);
    const history = await place.run(["history", "ls"]);
    expect(history.exitCode, history.stderr).toBe(isOld ? 1 : 0);
    const removed = await place.run(["rm", "default"]);
    expect(removed.exitCode).toBe(1);
    expect(removed.stderr).toContain("context builder cannot be removed, run `docker context rm default`");
    await place.succeed(["stop", "default"]);
  });

  it("a failing step fails the build, and an interrupt ends it", async () => {
    const failing = await place.context({ Dockerfile: "FROM busybox\nRUN exit 3\n" });
    const failed = await place.run(["build", failing]);
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain("exit code: 3");
    const slow = await place.context({ Dockerfile: "FROM busybox\nRUN echo begun && sleep 434343\n" });
    const running = place.start(["build", "--progress", "plain", slow]);
    await running.said(/ begun$/m);
    running.child.kill("SIGINT");
    expect((await running.result).exitCode).toBe(130);
  });

  it("serves the library: build(), and many builds on one connection", async () => {
    const { env } = place;
    const context = files({ Dockerfile: "FROM busybox\nCOPY a /a\n", a: "1" });
    const { imageId } = await build({ builder: "default", env, context, tags: [`${place.id}:lib`] });
    expect((await place.engine.images.inspect(`${place.id}:lib`)).Id).toBe(imageId);
    await using builds = await connect({ builder: "default", env });
    const results = await Promise.all(
      ["2", "3", "4"].map((a) =>
        builds.build({ context: files({ Dockerfile: "FROM busybox\nCOPY a /a\n", a }) }),
      ),
    );
    expect(new Set(results.map((result) => result.imageId)).size).toBe(3);
    for (const { imageId: id } of results) if (id) await place.engine.images.remove(id, { force: true });
    await place.engine.images.remove(`${place.id}:lib`, { force: true });
  });
});

describe.runIf(isPodman)("an engine without a BuildKit of its own", () => {
  it("says so, and what to do", async () => {
    await using place = await Workplace.open("nomoby");
    const dir = await place.context({ Dockerfile: "FROM busybox\n" });
    const { exitCode, stderr } = await place.run(["build", dir]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /does not offer a BuildKit of its own .*slipway create --driver docker-container --use/,
    );
  });

  it("has a builder's container reached by podman-container://", async () => {
    await using place = await Workplace.open("podmanaddress");
    const builder = await place.builder("own", "--driver-opt", "network=host", "--bootstrap");
    const far = `${place.id}-far`;
    const address = `podman-container://${place.container(builder)}`;
    await place.succeed(["create", "--name", far, "--driver", "remote", address]);
    const dir = await place.context({ Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" });
    await place.succeed(["build", "--builder", far, "-o", place.path("out"), dir]);
    expect(await readFile(place.path("out", "Dockerfile"), "utf8")).toContain("COPY Dockerfile");
    await place.succeed(["rm", far]);
  });
});
