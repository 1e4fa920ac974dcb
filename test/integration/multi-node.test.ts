import { readFile, readdir, symlink } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../src/index.js";
import { engineEnv } from "../support/engine-env.js";
import { type Client, twoClients } from "../support/two-clients.js";
import { Workplace } from "../support/workplace.js";

const both = ["--platform", "linux/amd64,linux/arm64"];
const indexType = "application/vnd.oci.image.index.v1+json";

describe("a builder with a node for each platform", () => {
  const testbed = engineEnv();
  let place: Workplace;
  let builder: string;
  let clients: ReturnType<typeof twoClients>;
  let context: string;

  beforeAll(async () => {
    place = await Workplace.open("nodes");
    builder = `${place.id}-multi`;
    // A builder takes each endpoint once, and this engine is to be both.
    const second = place.path("second.sock");
    await symlink(testbed.dockerHost.replace("unix://", ""), second);
    const options = ["--driver-opt", "network=host", "--name", builder];
    await place.succeed(["create", ...options, "--node", `${builder}-a`, "--platform", "linux/amd64"]);
    const more = ["--append", "--node", `${builder}-b`, "--platform", "linux/arm64", `unix://${second}`];
    await place.succeed(["create", ...options, ...more]);
    const { BUILDX_CONFIG = "", DOCKER_CONFIG = "", DOCKER_HOST = "", HOME = "" } = place.env;
    clients = twoClients(testbed.buildx ?? "", { BUILDX_CONFIG, DOCKER_CONFIG, DOCKER_HOST, HOME });
    context = await place.context({
      Dockerfile:
        "FROM busybox AS base\nARG TARGETARCH\nRUN uname -m > /machine && echo $TARGETARCH > /arch\n" +
        "FROM scratch\nCOPY --from=base /machine /arch /\n",
      "slow.Dockerfile":
        "FROM busybox\nARG TARGETARCH\nRUN if [ $TARGETARCH = arm64 ]; then exit 3; else sleep 4848; fi\n",
    });
    await place.succeed(["inspect", "--bootstrap", builder]);
  }, 120_000);

  afterAll(() => place.close(), 60_000);

  const name = (tag: string) => `${testbed.registry}/${builder}:${tag}`;

  async function indexOf(tag: string): Promise<{ text: string; digest: string | null }> {
    const url = `http://${testbed.registry}/v2/${builder}/manifests/${tag}`;
    const response = await fetch(url, { headers: { accept: indexType } });
    expect(response.status).toBe(200);
    return { text: await response.text(), digest: response.headers.get("docker-content-digest") };
  }

  async function push(client: Client, tag: string, ...flags: string[]) {
    const metadata = place.path(`${tag}.json`);
    const args = ["build", "--builder", builder, ...both, ...flags, "--progress", "plain", context];
    const result = await client.run([...args, "--push", "-t", name(tag), "--metadata-file", metadata], {
      env: { SOURCE_DATE_EPOCH: "1700000000" },
    });
    expect(result.stderr).toMatch(/merging manifest list .*\n#\d+ DONE/);
    expect(result.exitCode).toBe(0);
    return {
      ...(await indexOf(tag)),
      stderr: result.stderr,
      metadata: JSON.parse(await readFile(metadata, "utf8")) as Record<string, unknown>,
    };
  }

  test("inspect --bootstrap has booted both", async () => {
    const { stdout } = await place.succeed(["inspect", builder]);
    expect(stdout.match(/^Status: +running$/gm)).toHaveLength(2);
    expect(stdout).toMatch(/linux\/amd64\*/);
    expect(stdout).toMatch(/linux\/arm64\*/);
  });

  test("pushes one index, the same as buildx's byte by byte", async () => {
    const flags = ["--provenance=false", "--annotation", "index:made=by <two>", "--annotation"];
    const all = [...flags, "manifest-descriptor[linux/arm64]:x=y"];
    const ours = await push(clients.slipway, "ours", ...all);
    const theirs = await push(clients.buildx, "theirs", ...all);
    expect(ours.text).toBe(theirs.text);
    expect(ours.metadata).toEqual({ "containerimage.digest": ours.digest });
    const index = JSON.parse(ours.text) as { manifests: { platform: unknown; annotations?: unknown }[] };
    expect(index.manifests.map(({ platform }) => platform)).toEqual([
      { architecture: "amd64", os: "linux" },
      { architecture: "arm64", os: "linux" },
    ]);
    expect(index.manifests.map(({ annotations }) => annotations)).toEqual([undefined, { x: "y" }]);
  });

  test("attestations stay beside their images, and two tags are one index", async () => {
    const { text, digest } = await push(clients.slipway, "first", "-t", name("second"));
    expect((await indexOf("second")).digest).toBe(digest);
    const { manifests } = JSON.parse(text) as { manifests: { annotations?: Record<string, string> }[] };
    const types = manifests.map(({ annotations }) => annotations?.["vnd.docker.reference.type"]);
    expect(types).toEqual([undefined, "attestation-manifest", undefined, "attestation-manifest"]);
  });

  test("each node builds its own platform, and the files come out side by side", async () => {
    const out = place.path("out");
    const args = ["build", "--builder", builder, ...both, "--progress=plain"];
    const { stderr } = await place.succeed([...args, "-o", out, context]);
    expect((await readdir(out)).sort()).toEqual(["linux_amd64", "linux_arm64"]);
    expect(await readFile(`${out}/linux_arm64/machine`, "utf8")).toBe("aarch64\n");
    expect(await readFile(`${out}/linux_amd64/arch`, "utf8")).toBe("amd64\n");
    expect(stderr.match(/^#0 building with/gm)).toHaveLength(1);
    expect(stderr).toMatch(/^#\d+ \[linux\/arm64 base 2\/2\] RUN uname/m);
    for (const node of ["a", "b"]) {
      const history = await place.engine.run(`buildx_buildkit_${builder}-${node}`, ["buildctl", "du"]);
      expect(history.stdout.toString()).toContain("true");
    }
  });

  test("one platform takes one node, and no platform the first", async () => {
    const one = await place.succeed([
      "build",
      "--builder",
      builder,
      "--metadata-file",
      place.path("one"),
      context,
    ]);
    expect(one.exitCode).toBe(0);
    const ref = async (file: string) =>
      (JSON.parse(await readFile(place.path(file), "utf8")) as Record<string, string>)["buildx.build.ref"];
    expect(await ref("one")).toMatch(new RegExp(`^${builder}/${builder}-a/`));
    const flags = ["--platform", "linux/arm64", "--metadata-file", place.path("two")];
    await place.succeed(["build", "--builder", builder, ...flags, context]);
    expect(await ref("two")).toMatch(new RegExp(`^${builder}/${builder}-b/`));
  });

  test("FLT-36 when one node's build fails the others are cancelled", async () => {
    const flags = ["--builder", builder, ...both, "--progress=plain", "-f", `${context}/slow.Dockerfile`];
    const { exitCode, stderr } = await place.run(["build", ...flags, context]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/ERROR: failed to build: failed to solve: process .* exit code: 3\n$/);
    expect(stderr).toMatch(/^#\d+ CANCELED$/m);
    const processes = await place.engine.run(`buildx_buildkit_${builder}-a`, ["ps"]);
    expect(processes.stdout.toString()).not.toContain("sleep 4848");
  });

  test.each([
    [["-o", "type=oci,dest=x.tar"], "oci for multi-node builds currently not supported"],
    [["-o", "type=tar,dest=x.tar"], "tar for multi-node builds currently not supported"],
    [["--load", "-t", "x"], "docker exporter does not currently support exporting manifest lists"],
    [["-o", "type=local,dest=gone,mode=delete"], "mode=delete for multi-node builds is not supported"],
    [["--push"], "tag is needed when pushing to registry"],
    [["--push", "-t", "127.0.0.1:1/x"], "failed to push 127.0.0.1:1/x"],
  ])("%j is refused", async (flags, message) => {
    const args = ["build", "--builder", builder, ...both, ...flags, context];
    const { exitCode, stderr } = await place.run(args, { cwd: place.dir });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("ERROR: failed to build: ");
    expect(stderr).toContain(message);
    expect(await readdir(place.dir)).not.toContain("x.tar");
  });

  test("a warm connection uses the nodes that a build needs", async () => {
    await using connection = await connect({ builder, env: place.env });
    const result = await connection.build({
      context,
      platforms: ["linux/arm64", "linux/amd64"],
      tags: [name("library")],
      push: true,
    });
    expect(result.digest).toBe((await indexOf("library")).digest);
    expect(result.names).toEqual([name("library")]);
    expect(result.platforms.map(({ platform }) => platform).sort()).toEqual(["linux/amd64", "linux/arm64"]);
  });
});

describe("a builder with two nodes of one platform", () => {
  let place: Workplace;
  let builder: string;
  let context: string;

  beforeAll(async () => {
    place = await Workplace.open("twins");
    builder = `${place.id}-twins`;
    const second = place.path("second.sock");
    await symlink(engineEnv().dockerHost.replace("unix://", ""), second);
    const options = ["create", "--driver-opt", "network=host", "--name", builder];
    await place.succeed([...options, "--node", `${builder}-a`]);
    await place.succeed([...options, "--append", "--node", `${builder}-b`, `unix://${second}`]);
    context = await place.context({
      Dockerfile:
        "FROM busybox AS base\nRUN echo begun && sleep 3 && echo made >/made\nFROM scratch\nCOPY --from=base /made /\n",
    });
  }, 120_000);

  afterAll(() => place.close(), 60_000);

  test("what a lost node was building is built on the other, and that is told", async () => {
    const out = place.path("out");
    const args = ["build", "--builder", builder, "--progress", "plain", "-o", out, context];
    const building = place.start(args);
    await building.said(/ begun$/m);
    await place.engine.containers.kill(`buildx_buildkit_${builder}-a`);
    const { exitCode, stderr } = await building.result;
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toMatch(/node .*-a was lost \(.*\); its part is built again on .*-b/);
    expect(await readFile(`${out}/made`, "utf8")).toBe("made\n");
  }, 60_000);

  test("retries: 0 has the build fail with the node", async () => {
    await using builds = await connect({ builder, env: place.env });
    let begun = () => {};
    const running = new Promise<void>((resolve) => (begun = resolve));
    const building = builds.build({
      context,
      noCache: true,
      retries: 0,
      onEvent: (event) => {
        if (event.type === "status" && event.logs.some(({ data }) => Buffer.from(data).includes("begun")))
          begun();
      },
    });
    await running;
    await place.engine.containers.kill(`buildx_buildkit_${builder}-a`);
    await expect(building).rejects.toMatchObject({ code: "BUILDER_LOST" });
  }, 60_000);
});
