import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BuildEvent, Builder, type Output, build, connect, files, tar } from "../../src/index.js";
import type { Pod } from "../../src/driver/kubernetes/api-objects.js";
import { ClusterApi } from "../../src/driver/kubernetes/cluster-api.js";
import { openCluster } from "../../src/driver/kubernetes/cluster.js";
import { engineEnv } from "../support/engine-env.js";
import { endlessArchive, stuckStream } from "../support/half-way.js";
import { Workplace } from "../support/workplace.js";

const { buildx, registry } = engineEnv();
const hasCluster = Boolean(process.env["KUBECONFIG"]);
if (!hasCluster)
  console.warn("the driver kubernetes is not tested: testbed/with --kubernetes gives a cluster");

/** On a real node: API, controllers, scheduler, kubelet and containerd (testbed/lib/kubernetes.sh). */
describe.runIf(hasCluster)("builders in a cluster (driver kubernetes)", () => {
  let place: Workplace;
  let name: string;
  let builder: Builder;
  let api: ClusterApi;
  const more: string[] = [];

  beforeAll(async () => {
    place = await Workplace.open("kube");
    name = place.id;
    api = new ClusterApi(await openCluster({ env: process.env }));
    await place.succeed(["create", "--name", name, "--driver", "kubernetes", "--bootstrap"]);
    const env = { ...process.env, ...place.env };
    builder = await Builder.open({ name, env });
  }, 120_000);

  afterAll(async () => {
    for (const each of [name, ...more]) await place.run(["rm", "-f", each]);
    await place.close();
  }, 60_000);

  const pods = async (node: string) =>
    (await api.call<{ items: Pod[] }>("GET", `/api/v1/namespaces/default/pods?labelSelector=app%3D${node}`))
      .items;

  const killPods = async () => {
    for (const { metadata } of await pods(`${name}0`))
      await api.call("DELETE", `/api/v1/namespaces/default/pods/${metadata.name}?gracePeriodSeconds=0`);
  };

  it("builds into directories and archives, with secrets and a large context", async () => {
    const big = Buffer.alloc(64 << 20, "slipway ");
    const result = await build({
      builder,
      context: files({
        Dockerfile:
          "FROM busybox\nRUN --mount=type=secret,id=s cp /run/secrets/s /said\nCOPY big /\nRUN wc -c </big >/length\n",
        big,
      }),
      secrets: { s: "quiet" },
      outputs: [
        { type: "local", dest: place.path("out") },
        { type: "oci", dest: place.path("image.tar") },
      ],
    });
    expect(result.warnings).toEqual([]);
    expect(await readFile(place.path("out", "said"), "utf8")).toBe("quiet");
    expect((await readFile(place.path("out", "length"), "utf8")).trim()).toBe(String(big.length));
    expect((await readFile(place.path("out", "big"))).equals(big)).toBe(true);
    expect((await readFile(place.path("image.tar"))).length).toBeGreaterThan(500_000);
  }, 60_000);

  it("lists, tells of itself, gives back its cache, and is left alone by stop", async () => {
    const { stdout: table } = await place.succeed(["ls"]);
    expect(table).toMatch(new RegExp(`${name}0 +\\\\_ kubernetes:///${name}\\?deployment=.* running`));
    const [pod] = await pods(`${name}0`);
    expect((await place.succeed(["inspect", name])).stdout).toContain("running");
    expect(pod?.status?.phase).toBe("Running");
    expect((await place.succeed(["du", "--builder", name])).stdout).toContain("Reclaimable:");
    await place.succeed(["prune", "--builder", name, "-a", "-f"]);
    expect((await place.succeed(["history", "ls", "--builder", name])).stdout).toContain("Completed");
    await place.succeed(["stop", name]);
    expect((await place.succeed(["ls"])).stdout).toMatch(new RegExp(`${name}0 .* running`));
  }, 60_000);

  it("is reached by its pod's name (kube-pod://)", async () => {
    const [pod] = await pods(`${name}0`);
    await using connection = await connect({ address: `kube-pod://${pod?.metadata.name}?namespace=default` });
    await using result = await connection.openResult({
      context: files({ Dockerfile: "FROM scratch\nCOPY a /\n", a: "x" }),
    });
    expect((await result.readFile("/a")).toString()).toBe("x");
    const missing = connect({ address: "kube-pod://nobody" });
    await expect(missing).rejects.toThrow(/nobody/);
  }, 60_000);

  it.runIf(buildx !== undefined)(
    "is used by buildx, and uses what buildx made",
    async () => {
      const oracle = (...args: string[]) =>
        promisify(execFile)(buildx ?? "", args, {
          env: { ...process.env, ...place.env },
        });
      const theirs = `${name}-x`;
      more.push(theirs);
      const context = await place.context({ Dockerfile: "FROM busybox\nRUN echo $((6*7)) >/answer\n" });
      await oracle("build", "--builder", name, "-o", place.path("by-buildx"), context);
      expect(await readFile(place.path("by-buildx", "answer"), "utf8")).toBe("42\n");
      await oracle("create", "--name", theirs, "--driver", "kubernetes", "--bootstrap");
      await place.succeed(["build", "--builder", theirs, "-o", place.path("by-slipway"), context]);
      expect(await readFile(place.path("by-slipway", "answer"), "utf8")).toBe("42\n");
      await place.succeed(["rm", theirs]);
      expect(
        await pods(`${theirs}0`).then((left) => left.filter(({ metadata }) => !metadata.deletionTimestamp)),
      ).toEqual([]);
    },
    120_000,
  );

  it("builds again in another pod when its own is lost in a step", async () => {
    const events: BuildEvent[] = [];
    const warnings = () => events.flatMap((event) => (event.type === "message" ? [event.text] : []));
    let isKilled = false;
    const result = await build({
      builder,
      context: files({ Dockerfile: "FROM busybox\nRUN echo begun && sleep 4 && echo over >/over\n" }),
      outputs: [{ type: "local", dest: place.path("again") }],
      onEvent(event) {
        events.push(event);
        const begun =
          event.type === "status" && event.logs.some(({ data }) => Buffer.from(data).includes("begun"));
        if (!begun || isKilled) return;
        isKilled = true;
        void killPods();
      },
    });
    expect(isKilled).toBe(true);
    expect(result.metadata).toBeDefined();
    expect(await readFile(place.path("again", "over"), "utf8")).toBe("over\n");
    expect(warnings().join("\n")).toMatch(/was lost .* built again/);
  }, 120_000);

  it("fails when its pod is lost while an archive goes up, which cannot be sent again, and lets go of that", async () => {
    const { archive, middle } = endlessArchive();
    const outputs: Output[] = [{ type: "cacheonly" }];
    const failure = build({ builder, context: tar(archive), outputs }).catch((error: unknown) => error);
    await Promise.race([middle, failure]);
    await killPods();
    expect(await failure).toMatchObject({ code: "BUILDER_LOST" });
    expect(archive.destroyed).toBe(true);
  }, 120_000);

  it("does not build again what has begun to come out when its pod is lost", async () => {
    const context = files({ Dockerfile: "FROM busybox\nRUN dd if=/dev/zero of=/large bs=1M count=64\n" });
    const { dest, middle } = stuckStream();
    const failure = build({ builder, context, outputs: [{ type: "tar", dest }] }).catch(
      (error: unknown) => error,
    );
    await Promise.race([middle, failure]);
    await killPods();
    expect(await failure).toMatchObject({ code: "BUILDER_LOST" });
    expect(dest.destroyed).toBe(true);
  }, 120_000);

  it("keeps the cache of a pod in a volume claim", async () => {
    const claimed = `${name}-claim`;
    const directory = place.path("volume");
    await mkdir(directory);
    const volume = {
      metadata: { name: claimed },
      spec: {
        capacity: { storage: "1Gi" },
        accessModes: ["ReadWriteOnce"],
        hostPath: { path: directory },
        persistentVolumeReclaimPolicy: "Retain",
      },
    };
    await api.call("POST", "/api/v1/persistentvolumes", { body: volume });
    more.push(claimed);
    const opts = "persistent-volume-claim.requests.storage=1Gi";
    await place.succeed([
      "create",
      "--name",
      claimed,
      "--bootstrap",
      "--driver",
      "kubernetes",
      "--driver-opt",
      opts,
    ]);
    const context = await place.context({
      Dockerfile: "FROM busybox\nRUN head -c 8 /proc/sys/kernel/random/uuid >/id\n",
    });
    const idOf = async (dest: string) => {
      await place.succeed(["build", "--builder", claimed, "-o", place.path(dest), context]);
      return readFile(place.path(dest, "id"), "utf8");
    };
    const first = await idOf("claim1");
    const [pod] = await pods(`${claimed}0`);
    await api.call("DELETE", `/api/v1/namespaces/default/pods/${pod?.metadata.name}`);
    expect(await idOf("claim2")).toBe(first);
    await place.succeed(["rm", claimed]);
    const { items } = await api.call<{ items: { metadata: { name: string } }[] }>(
      "GET",
      "/api/v1/namespaces/default/persistentvolumeclaims",
    );
    expect(items.filter(({ metadata }) => metadata.name.includes(claimed))).toHaveLength(1);
  }, 180_000);

  it("has nodes for several platforms, each of which takes its own", async () => {
    const many = `${name}-many`;
    more.push(many);
    const node = (platform: string, ...flags: string[]) =>
      place.succeed(["create", "--name", many, "--driver", "kubernetes", "--platform", platform, ...flags]);
    await node("linux/amd64");
    await node("linux/arm64", "--append", "--node", `${many}-arm`);
    const context = await place.context({
      Dockerfile: "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /\n",
      amd64: "a",
      arm64: "b",
    });
    const flags = ["--platform", "linux/amd64,linux/arm64", "--progress", "plain", "--provenance=false"];
    const tag = `${registry}/${many}:1`;
    const { stderr } = await place.succeed([
      "build",
      "--builder",
      many,
      ...flags,
      "--push",
      "-t",
      tag,
      context,
    ]);
    expect(new Set(stderr.match(/^#\d+ \[internal\] booting buildkit$/gm)).size).toBe(2);
    for (const each of [`${many}0`, `${many}-arm`]) expect(await pods(each)).toHaveLength(1);
    const { stdout } = await place.succeed(["imagetools", "inspect", "--builder", many, tag]);
    expect(stdout.match(/Platform: +linux\/(?:amd64|arm64)$/gm)).toHaveLength(2);
  }, 120_000);

  it("tells of pods that cannot run, with their own events, and of a kubeconfig that is none", async () => {
    const opts = (options: string) => ["--driver", "kubernetes", "--driver-opt", options];
    const node = `${name}-bad`;
    more.push(node);
    const image = await place.run([
      "create",
      "--name",
      node,
      "--bootstrap",
      ...opts("timeout=20s,image=localhost:1/none:1"),
    ]);
    expect(image.exitCode).toBe(1);
    expect(image.stderr).toMatch(/ErrImagePull|ImagePullBackOff|localhost:1\/none/);
    const pending = await place.run([
      "create",
      "--name",
      `${node}2`,
      "--bootstrap",
      ...opts("timeout=5s,requests.cpu=4000"),
    ]);
    more.push(`${node}2`);
    expect(pending.exitCode).toBe(1);
    expect(pending.stderr).toMatch(/[Ii]nsufficient cpu/);
    const broken = place.path("kubeconfig");
    await writeFile(broken, "clusters: [");
    const none = await place.run(["create", "--name", `${node}3`, "--driver", "kubernetes"], {
      env: { KUBECONFIG: broken },
    });
    expect(none.exitCode).toBe(1);
    expect(none.stderr).toContain(broken);
    expect((await place.succeed(["ls"])).stdout).not.toContain(`${node}3`);
  }, 120_000);

  it("has several pods, of which each context keeps to its own", async () => {
    const two = `${name}-two`;
    more.push(two);
    await place.succeed([
      "create",
      "--name",
      two,
      "--bootstrap",
      "--driver",
      "kubernetes",
      "--driver-opt",
      "replicas=2",
    ]);
    const names = (await pods(`${two}0`)).map(({ metadata }) => metadata.name);
    expect(names).toHaveLength(2);
    const { stdout } = await place.succeed(["ls"]);
    for (const pod of names) expect(stdout).toContain(pod);
    const context = await place.context({
      Dockerfile: "FROM busybox\nRUN head -c 8 /proc/sys/kernel/random/uuid >/id\n",
    });
    const ids = new Set<string>();
    for (let run = 0; run < 3; run++) {
      const dest = place.path(`sticky${run}`);
      await place.succeed(["build", "--builder", two, "-o", dest, context]);
      ids.add(await readFile(join(dest, "id"), "utf8"));
    }
    // Cached in the one pod that this directory always goes to.
    expect(ids.size).toBe(1);
  }, 120_000);
});
