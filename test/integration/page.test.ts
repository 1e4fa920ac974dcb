import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EngineClient } from "../../src/engine-api/index.js";
import { engineEnv } from "../support/engine-env.js";
import {
  makeDirectory,
  mostMebibytes,
  removeDirectory,
  slipway,
  start,
  succeed,
} from "../support/slipway.js";

/** The snippets of the documentation page of the docker-container driver, one after the other, on the real engine. */
const { dockerHost, registry } = engineEnv();
const noOutput =
  "WARNING: No output specified with docker-container driver. Build result will only remain in the build cache. To push result image into registry use --push or to load image into docker use --load";

let engine: EngineClient;
let context: string;

beforeAll(async () => {
  engine = EngineClient.open({ host: dockerHost });
  context = await makeDirectory("page");
  await writeFile(
    join(context, "Dockerfile"),
    'FROM busybox\nCOPY greeting /\nRUN cat /greeting && uname -m\nCMD ["cat", "/greeting"]\n',
  );
  await writeFile(join(context, "greeting"), "ahoy\n");
});

afterAll(async () => {
  for (const name of ["container", "options", "networked", "eight", "interrupted"])
    await slipway(["rm", "--force", name]);
  await engine.close();
  await removeDirectory(context);
});

const inspect = (node: string) => engine.containers.inspect(`buildx_buildkit_${node}`);

async function run(image: string): Promise<string> {
  const { Id } = await engine.containers.create(undefined, {
    Image: image,
    HostConfig: { NetworkMode: "none" },
  });
  try {
    await engine.containers.start(Id);
    await engine.containers.wait(Id);
    const chunks: Buffer[] = [];
    for await (const { data } of engine.containers.logs(Id, { stdout: true })) chunks.push(data);
    return Buffer.concat(chunks).toString();
  } finally {
    await engine.containers.remove(Id, { force: true });
  }
}

describe("the driver's page", () => {
  test("create prints the name and makes no container yet", async () => {
    const { stdout } = await succeed([
      "create",
      "--name",
      "container",
      "--driver=docker-container",
      "--driver-opt",
      "network=host",
      "--use",
    ]);
    expect(stdout).toBe("container\n");
    await expect(inspect("container0")).rejects.toMatchObject({ status: 404 });
  });

  test("the first build pulls the image, boots the builder and warns that nothing comes out", async () => {
    const { stderr } = await succeed(["build", "--builder=container", "-t", "page:1", context]);
    expect(stderr).toContain(noOutput);
    expect(stderr).toMatch(/^#1 \[internal\] booting buildkit$/m);
    expect(stderr).toMatch(/^#1 pulling image moby\/buildkit:buildx-stable-1 [\d.]+s done$/m);
    expect(stderr).toMatch(/^#1 creating container buildx_buildkit_container0 [\d.]+s done$/m);
    expect(stderr).toMatch(/^#1 DONE [\d.]+s$/m);
  });

  test("--load brings the image into the engine, and it runs", async () => {
    const { stderr } = await succeed(["build", "--load", "-t", "page:1", "--builder=container", context]);
    expect(stderr).toContain("importing to docker");
    expect(stderr).not.toContain(noOutput);
    expect(await run("page:1")).toBe("ahoy\n");
  });

  test("ls shows the builder, and the engine its volume", async () => {
    const { stdout } = await succeed(["ls"]);
    expect(stdout).toMatch(/^NAME\/NODE\s+DRIVER\/ENDPOINT\s+STATUS\s+BUILDKIT\s+PLATFORMS$/m);
    expect(stdout).toMatch(/^container\*\s+docker-container/m);
    expect(stdout).toMatch(/^ \\_ container0\s+ \\_ \S+\s+running\s+v[\d.]+\S*\s+linux\/amd64/m);
    expect((await engine.volumes.inspect("buildx_buildkit_container0_state")).Driver).toBe("local");
  });

  test("inspect and du know the running builder", async () => {
    const { stdout } = await succeed(["inspect", "container"]);
    expect(stdout).toMatch(/^Status:\s+running$/m);
    expect(stdout).toMatch(/^GC Policy rule#0:$/m);
    const usage = await succeed(["du"]);
    expect(usage.stdout).toMatch(/^ID\s+RECLAIMABLE\s+SIZE\s+LAST ACCESSED$/m);
    expect(usage.stdout).toMatch(/^Total:\s+[\d.]+\w+$/m);
  });

  test("rm --keep-state keeps the cache for a builder of the same name", async () => {
    const removed = await succeed(["rm", "--keep-state", "container"]);
    expect(removed.stderr).toBe("container removed\n");
    await expect(inspect("container0")).rejects.toMatchObject({ status: 404 });
    await engine.volumes.inspect("buildx_buildkit_container0_state");

    await succeed([
      "create",
      "--name=container",
      "--driver=docker-container",
      "--driver-opt=network=host",
      "--use",
      "--bootstrap",
    ]);
    const { stderr } = await succeed(["build", "--builder=container", context]);
    expect(stderr).toMatch(/^#\d+ \[3\/3\] RUN cat \/greeting && uname -m\n#\d+ CACHED$/m);
  });

  test("several platforms are pushed as one index that the registry serves", async () => {
    const name = `${registry}/page:multi`;
    await succeed([
      "build",
      "--builder=container",
      "--platform=linux/amd64,linux/arm64",
      "-t",
      name,
      "--push",
      context,
    ]);
    const answer = await fetch(`http://${registry}/v2/page/manifests/multi`, {
      headers: { accept: "application/vnd.oci.image.index.v1+json" },
    });
    const { manifests } = (await answer.json()) as { manifests: { platform: { architecture: string } }[] };
    const architectures = manifests.map(({ platform }) => platform.architecture);
    expect(architectures).toEqual(expect.arrayContaining(["amd64", "arm64"]));
  });

  test("driver options show in the container", async () => {
    const options = [
      "memory=512m",
      "memory-swap=1g",
      "cpu-quota=50000",
      "cpu-period=100000",
      "cpu-shares=512",
      "cpuset-cpus=0",
      "cpuset-mems=0",
      "restart-policy=on-failure:3",
      "env.FOO=bar",
      "network=host",
      "cgroup-parent=/docker/mine",
    ];
    await succeed([
      "create",
      "--name",
      "options",
      "--bootstrap",
      ...options.flatMap((option) => ["--driver-opt", option]),
    ]);
    const { HostConfig, Config, Mounts } = await inspect("options0");
    expect(HostConfig).toMatchObject({
      Privileged: true,
      Init: true,
      Memory: 512 << 20,
      MemorySwap: 1 << 30,
      CpuQuota: 50_000,
      CpuPeriod: 100_000,
      CpuShares: 512,
      CpusetCpus: "0",
      CpusetMems: "0",
      NetworkMode: "host",
      CgroupParent: "/docker/mine",
      RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 },
    });
    expect(Config.Env).toContain("FOO=bar");
    expect(Mounts).toContainEqual(
      expect.objectContaining({ Name: "buildx_buildkit_options0_state", Destination: "/var/lib/buildkit" }),
    );
    await succeed(["rm", "options"]);
    await expect(engine.volumes.inspect("buildx_buildkit_options0_state")).rejects.toMatchObject({
      status: 404,
    });
  });

  test("a custom network is the builder's", async () => {
    await engine.networks.create({ Name: "foonet" });
    try {
      await succeed([
        "create",
        "--name",
        "networked",
        "--driver",
        "docker-container",
        "--driver-opt",
        "network=foonet",
      ]);
      await succeed(["inspect", "--bootstrap", "networked"]);
      expect(Object.keys((await inspect("networked0")).NetworkSettings.Networks)).toEqual(["foonet"]);
    } finally {
      await succeed(["rm", "networked"]);
      await engine.networks.remove("foonet");
    }
  });
});

describe("ways to the daemon", () => {
  test("works without docker on the PATH, and calls none that is there", async () => {
    const dir = await makeDirectory("path");
    const log = join(dir, "called");
    await mkdir(join(dir, "bin"));
    await writeFile(join(dir, "bin", "docker"), `#!/bin/sh\necho called > ${log}\n`, { mode: 0o755 });
    const { exitCode } = await slipway(["build", "--builder", "container", "-q", context], {
      env: { PATH: join(dir, "bin") },
    });
    expect(exitCode).toBe(0);
    await expect(writeFile(log, "", { flag: "wx" })).resolves.toBeUndefined();
    await removeDirectory(dir);
  });
});

describe("faults", () => {
  test("STO-7 eight first builds at once make one container, and all succeed", async () => {
    await succeed(["create", "--name", "eight", "--driver-opt", "network=host"]);
    const builds = Array.from({ length: 8 }, () => slipway(["build", "--builder", "eight", "-q", context]));
    const results = await Promise.all(builds);
    expect(
      results.map(({ exitCode }) => exitCode),
      results.map(({ stderr }) => stderr).join("---\n"),
    ).toEqual(Array.from({ length: 8 }, () => 0));
    for (const { peakMebibytes } of results) expect(peakMebibytes).toBeLessThan(mostMebibytes);
    await succeed(["rm", "eight"]);
  });

  test("FLT-30 FLT-35 an interrupt cancels the build with exit code 130, and its step ends in the builder", async () => {
    await succeed(["create", "--name", "interrupted", "--driver-opt", "network=host", "--bootstrap"]);
    const dir = await makeDirectory("interrupt");
    await writeFile(join(dir, "Dockerfile"), "FROM busybox\nRUN echo begun && sleep 4242\n");
    const build = start(["build", "--builder", "interrupted", "--progress", "plain", dir]);
    await build.said(/ begun$/m);
    build.child.kill("SIGINT");
    const { exitCode, stderr } = await build.result;
    expect(exitCode, stderr).toBe(130);
    await expect
      .poll(async () => (await engine.run("buildx_buildkit_interrupted0", ["ps"])).stdout.toString(), {
        timeout: 60_000,
      })
      .not.toContain("sleep 4242");
    await removeDirectory(dir);
  });

  test("FLT-3 FLT-5 a builder that goes away mid-build is named", async () => {
    const dir = await makeDirectory("gone");
    await writeFile(join(dir, "Dockerfile"), "FROM busybox\nRUN echo begun && sleep 4343\n");
    const build = start(["build", "--builder", "interrupted", "--progress", "plain", dir]);
    await build.said(/ begun$/m);
    await engine.containers.remove("buildx_buildkit_interrupted0", { force: true });
    const { exitCode, stderr } = await build.result;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /ERROR: failed to build: builder container buildx_buildkit_interrupted0 (was removed|stopped)/,
    );
    await removeDirectory(dir);
  });

  test("FLT-8 a failing export leaves the file from before untouched", async () => {
    const dir = await makeDirectory("export");
    const file = join(dir, "out.tar");
    await writeFile(file, "from before");
    await writeFile(join(dir, "Dockerfile"), "FROM busybox\nRUN exit 1\n");
    const { exitCode } = await slipway([
      "build",
      "--builder",
      "container",
      "-o",
      `type=tar,dest=${file}`,
      dir,
    ]);
    expect(exitCode).toBe(1);
    expect(await readFile(file, "utf8")).toBe("from before");
    expect(await readdir(dir)).toEqual(["Dockerfile", "out.tar"]);
    await removeDirectory(dir);
  });

  test("STO-9 a container that is no builder is refused by name", async () => {
    await succeed(["create", "--name", "foreign"]);
    await engine.containers.create("buildx_buildkit_foreign0", { Image: "busybox" }).catch(async () => {
      await engine.images.pull("busybox");
      await engine.containers.create("buildx_buildkit_foreign0", { Image: "busybox" });
    });
    const { exitCode, stderr } = await slipway(["build", "--builder", "foreign", context]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("container buildx_buildkit_foreign0 exists but is not a builder");
    await engine.containers.remove("buildx_buildkit_foreign0", { force: true });
    await succeed(["rm", "foreign"]);
  });

  test.each([
    [["build"], 1, "requires 1 argument"],
    [["build", "--bogus", "."], 1, "unknown flag: --bogus"],
    [["bogus"], 1, /^ERROR: unknown command: "bogus"\n\nRun 'slipway --help' for more information\n$/],
    [
      ["bulid", "."],
      1,
      /^ERROR: unknown command: "bulid", did you mean build\?\n\nRun 'slipway --help' for more information\n$/,
    ],
    [
      ["history", "sl"],
      1,
      /^ERROR: unknown command: "sl", did you mean ls\?\n\nRun 'slipway history --help' for more information\n$/,
    ],
    [["build", "/nowhere/context"], 1, 'path "/nowhere/context" not found'],
    [["build", "--builder", "nobody", "."], 1, 'no builder "nobody" found'],
    [["rm", "nobody"], 1, 'failed to remove nobody: no builder "nobody" found'],
    [["create", "--driver", "kubrnetes"], 1, 'cannot create builders with the driver "kubrnetes"'],
    [["create", "--driver-opt", "bogus=1"], 1, "invalid driver option bogus for docker-container driver"],
  ])("%j fails with a sentence", async (args, code, message) => {
    const { exitCode, stdout, stderr } = await slipway(args);
    expect([exitCode, stdout]).toEqual([code, ""]);
    expect(stderr).toMatch(message);
  });
});
