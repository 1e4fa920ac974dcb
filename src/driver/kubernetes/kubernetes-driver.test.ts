import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { answersInfo } from "../../../test/support/fake-builder.js";
import { FakeBuildkitd } from "../../../test/support/fake-buildkitd.js";
import { FakeCluster } from "../../../test/support/fake-cluster.js";
import type { BuildEvent } from "../../core/index.js";
import type { Pod } from "./api-objects.js";
import { dialPod } from "./dial-pod.js";
import { KubernetesDriver } from "./kubernetes-driver.js";
import { nodeManifests } from "./manifests.js";
import { parseKubernetesOptions } from "./options.js";
import { fateOf } from "./pod-trouble.js";
import { stickyPod } from "./pods.js";

let cluster: FakeCluster;
let daemon: FakeBuildkitd;
let pods: Pod[];
/** What the making of the Deployment brings. */
let podsOnceMade: Pod[];
let events: object[];
/** Whether the Deployment is there. */
let made: boolean;

beforeEach(async () => {
  cluster = await FakeCluster.start();
  daemon = new FakeBuildkitd({ services: [answersInfo()] });
  pods = podsOnceMade = [];
  events = [];
  made = false;
  cluster.exec = (_path, process) => daemon.serve(process);
  cluster.answer = (method, path) => {
    if (path.includes("/deployments")) {
      if (method === "POST") {
        made = true;
        pods = podsOnceMade;
      }
      if (!made) return undefined;
      if (method === "DELETE") made = false;
      return { body: { metadata: { name: "k0", uid: "d" }, status: {} } };
    }
    if (path.includes("/pods?")) return { body: { items: pods } };
    if (path.includes("/events?")) return { body: { items: events } };
    const found = pods.find(({ metadata }) => path.endsWith(`/pods/${metadata.name}`));
    return found && { body: found };
  };
});
afterEach(async () => {
  await daemon[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

function node(driverOpts: Record<string, string> = {}, isWanted?: () => Promise<boolean>) {
  const options = parseKubernetesOptions(driverOpts);
  const spec = { name: "k0", namespace: "ci", options, platforms: [], flags: [], files: new Map() };
  const open = () =>
    Promise.resolve({
      api: cluster.api(),
      namespace: "ci",
      manifests: nodeManifests(spec),
      timeout: options.timeout,
    });
  return new KubernetesDriver({ open, options, isWanted });
}

/** What is told of a node while it is waited for. */
async function said(): Promise<string> {
  const enough = new AbortController();
  let text = "";
  const sink = (event: BuildEvent) => {
    if (event.type !== "status" || event.logs.length === 0) return;
    text = event.logs.map(({ data }) => Buffer.from(data).toString()).join("");
    enough.abort(new Error("seen"));
  };
  await expect(node().connect({ sink, signal: enough.signal })).rejects.toMatchObject({ code: "ABORTED" });
  return text;
}

function pod(name: string, status: Pod["status"] = running): Pod {
  return {
    metadata: { name, uid: name },
    spec: { containers: [{ name: "buildkitd" }] },
    ...(status && { status }),
  };
}
const running: Pod["status"] = {
  phase: "Running",
  containerStatuses: [{ name: "buildkitd", restartCount: 0, state: { running: {} } }],
};

describe("a node in a cluster", () => {
  it("is made, waited for, connected to and removed", async () => {
    const driver = node();
    expect(await driver.status()).toBe("inactive");
    podsOnceMade = [pod("k0-a")];
    await using client = await driver.connect();
    expect(await client.info()).toMatchObject({ version: "v0.34.2" });
    expect(await driver.status()).toBe("running");
    expect(await driver.instances()).toEqual([{ name: "k0-a", status: "running" }]);
    const post = cluster.asked.find(({ method }) => method === "POST");
    expect(post).toMatchObject({
      path: "/apis/apps/v1/namespaces/ci/deployments",
      body: { kind: "Deployment" },
    });
    await driver.stop();
    (await driver.dial()).destroy();
    await driver.remove();
    await driver.remove();
    expect(await driver.status()).toBe("inactive");
  });

  it.each<[string, Pod["status"], object[], RegExp]>([
    [
      "waits for an image",
      {
        phase: "Pending",
        containerStatuses: [
          { name: "buildkitd", state: { waiting: { reason: "ErrImagePull", message: "x/y: not\nfound" } } },
        ],
      },
      [],
      /pod k0-a waits: ErrImagePull: x\/y: not found/,
    ],
    [
      "cannot be placed",
      {
        phase: "Pending",
        conditions: [
          {
            type: "PodScheduled",
            status: "False",
            reason: "Unschedulable",
            message: "0/1 nodes are available",
          },
        ],
      },
      [{ involvedObject: { uid: "k0-a" }, reason: "FailedScheduling", message: "no room" }],
      /pod k0-a is pending: Unschedulable: 0\/1 nodes are available \(FailedScheduling: no room\)/,
    ],
    [
      "was evicted",
      { phase: "Failed", reason: "Evicted", message: "The node was low on memory" },
      [],
      /pod k0-a has ended: Evicted: The node was low on memory/,
    ],
    [
      "ends again and again",
      {
        phase: "Running",
        containerStatuses: [
          {
            name: "buildkitd",
            state: { waiting: { reason: "CrashLoopBackOff", message: "back-off" } },
            lastState: { terminated: { reason: "Error", exitCode: 1 } },
          },
        ],
      },
      [],
      /CrashLoopBackOff: back-off, after it ended: Error \(exit code 1\)/,
    ],
  ])("tells of a pod that %s while it is waited for", async (_what, status, warnings, message) => {
    podsOnceMade = [pod("k0-a", status)];
    events = warnings;
    expect(await said()).toMatch(message);
  });

  it("is waited for as long as its timeout says", async () => {
    await expect(node({ timeout: "1ms" }).connect()).rejects.toMatchObject({
      code: "DRIVER_BOOT",
      message: expect.stringMatching(
        /expected 1 replicas to run, got 0 in 0.001 s: .*\. It stays in the cluster/,
      ) as string,
    });
  });

  it("ends at once for an image that cannot be, and tells why there is no pod", async () => {
    const waiting = { reason: "InvalidImageName", message: "bad" };
    podsOnceMade = [
      pod("k0-a", { phase: "Pending", containerStatuses: [{ name: "buildkitd", state: { waiting } }] }),
    ];
    await expect(node().connect()).rejects.toThrow(/InvalidImageName: bad/);
    pods = podsOnceMade = [];
    const answer = cluster.answer;
    const message = "exceeded quota: few";
    cluster.answer = (method, path) =>
      path.endsWith("/deployments/k0")
        ? {
            body: {
              metadata: { name: "k0", uid: "d" },
              status: {
                conditions: [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message }],
              },
            },
          }
        : answer(method, path);
    expect(await said()).toMatch(/no pod was made: FailedCreate: exceeded quota: few/);
  });

  it("is not booted when that is not asked for, and removed again when nobody wants it any more", async () => {
    await expect(node().connect({ boot: false })).rejects.toMatchObject({ code: "DRIVER_NOT_RUNNING" });
    expect(cluster.asked.every(({ method }) => method === "GET")).toBe(true);
    const unwanted = node({}, () => Promise.resolve(false));
    podsOnceMade = [pod("k0-a")];
    await expect(unwanted.connect()).rejects.toThrow("was removed while it was booted");
    expect(made).toBe(false);
  });

  it("ends its waiting when the caller does", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("enough")), 50);
    await expect(node().connect({ signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("passes on what the API says", async () => {
    const message = 'deployments.apps is forbidden: User "me" cannot get resource "deployments"';
    cluster.answer = () => ({ status: 403, body: { kind: "Status", reason: "Forbidden", message } });
    await expect(node().connect()).rejects.toMatchObject({
      code: "DRIVER_API",
      status: 403,
      message: expect.stringContaining(message) as string,
    });
    cluster.answer = () => ({ text: "<html>welcome</html>" });
    await expect(node().status()).rejects.toThrow("does not answer as a Kubernetes API does");
    for (const body of [
      null,
      7,
      [],
      { metadata: null },
      { items: {} },
      { items: [null] },
      { items: [{ metadata: 7 }] },
    ]) {
      cluster.answer = (_method, path) => (path.includes("/pods?") ? { body } : { body: { metadata: {} } });
      await expect(node().instances()).rejects.toThrow("does not answer as a Kubernetes API does");
    }
    cluster.answer = (_method, path) => ({ body: path.includes("/pods?") ? { items: null } : {} });
    expect(await node().status()).toBe("stopped");
    cluster.answer = () => ({ status: 502, text: "bad gateway" });
    await expect(node().status()).rejects.toThrow("refused: HTTP status 502");
    const api = cluster.api();
    await cluster[Symbol.asyncDispose]();
    await expect(api.call("GET", "/api")).rejects.toMatchObject({
      code: "DRIVER_CONNECT",
      message: expect.stringMatching(/cannot reach the Kubernetes API at http:.*(ECONN|hang up)/) as string,
    });
    cluster = await FakeCluster.start();
  });

  it("says what became of the pod that it was connected to", async () => {
    made = true;
    pods = [pod("k0-a")];
    const driver = node();
    await using _client = await driver.connect();
    const since = Date.now();
    pods = [];
    expect(await driver.diagnose({ since })).toBe("pod k0-a was removed");
    const killed = { name: "buildkitd", restartCount: 1, lastState: { terminated: { reason: "OOMKilled" } } };
    pods = [pod("k0-a", { phase: "Running", containerStatuses: [killed] })];
    expect(await driver.diagnose({ since })).toBe("the daemon in pod k0-a was killed (out of memory)");
    expect(fateOf(pod("x", { reason: "Evicted", message: "low on\n disk" }), { restarts: 0 })).toBe(
      "pod x was evicted: low on disk",
    );
    expect(fateOf(pod("x"), { restarts: 0 })).toBeUndefined();
  });
});

describe("a node whose cluster does not do as it should", () => {
  it("is tried again while its daemon starts, and no longer than its timeout", async () => {
    podsOnceMade = [pod("k0-a")];
    let tries = 0;
    const ends = (channel: (number: number, data: Buffer) => void) => {
      const message = "connect: no such file or directory";
      queueMicrotask(() => channel(3, Buffer.from(JSON.stringify({ status: "Failure", message }))));
    };
    cluster.exec = (_path, process, channel) => {
      if (++tries < 3) ends(channel);
      else daemon.serve(process);
    };
    await using client = await node().connect();
    expect(await client.info()).toMatchObject({ version: "v0.34.2" });
    expect(tries).toBe(3);
    cluster.exec = (_path, _process, channel) => ends(channel);
    made = false;
    pods = [];
    await expect(node({ timeout: "1ms" }).connect()).rejects.toMatchObject({
      code: "DRIVER_BOOT",
    });
  });

  it("does not end before its time, however long that is", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("enough")), 50);
    await expect(node({ timeout: "1000h" }).connect({ signal: stop.signal })).rejects.toMatchObject({
      code: "ABORTED",
    });
  });

  it.each<[string, string]>([
    ["made by another at the same time", "AlreadyExists"],
    ["refused", "Forbidden"],
  ])("whose config map and Deployment are %s", async (_what, reason) => {
    const { answer } = cluster;
    cluster.answer = (method, path) => {
      if (path.includes("/configmaps/") && method === "PUT") return { body: {} };
      if (method !== "POST") return answer(method, path);
      made = true;
      pods = [pod("k0-a")];
      return { status: reason === "Forbidden" ? 403 : 409, body: { reason, message: `it is ${reason}` } };
    };
    const files = new Map([["buildkitd.toml", Buffer.from("debug = true")]]);
    const options = parseKubernetesOptions({});
    const spec = { name: "k0", namespace: "ci", options, platforms: [], flags: [], files };
    const manifests = nodeManifests(spec);
    const open = () => Promise.resolve({ api: cluster.api(), namespace: "ci", manifests, timeout: 5_000 });
    const driver = new KubernetesDriver({ open, options });
    if (reason === "Forbidden") {
      await expect(driver.connect()).rejects.toMatchObject({ code: "DRIVER_API", reason });
      return;
    }
    await using _client = await driver.connect();
    const put = cluster.asked.find(({ method }) => method === "PUT");
    expect(put?.path).toBe("/api/v1/namespaces/ci/configmaps/k0-config");
  });

  it("is removed by another while it is booted, and one of whose parts cannot be removed says so", async () => {
    const { answer } = cluster;
    let looks = 0;
    cluster.answer = (method, path) => {
      if (method === "GET" && path.includes("/deployments/") && made && ++looks > 1) made = false;
      return answer(method, path);
    };
    await expect(node().connect()).rejects.toThrow(/deployment ci\/k0: deployment ci\/k0 was removed while/);
    cluster.answer = () => ({ status: 500, body: { message: "etcd is gone" } });
    await expect(node().remove()).rejects.toThrow("etcd is gone");
  });

  it("gives the pod that is asked for by name, and none that does not run", async () => {
    made = true;
    pods = [pod("k0-b"), pod("k0-a"), pod("k0-c", { phase: "Pending" }), gone(pod("k0-d"))];
    const asked: string[] = [];
    cluster.exec = (path, process) => {
      asked.push(path.replace(/^.*\/pods\/([^/]*)\/.*$/, "$1"));
      daemon.serve(process);
    };
    const driver = node({ loadbalance: "random" });
    expect(await driver.instances()).toEqual([
      { name: "k0-a", status: "running" },
      { name: "k0-b", status: "running" },
      { name: "k0-c", status: "starting" },
    ]);
    await (await driver.connect({ instance: "k0-b" })).close();
    await (await driver.connect()).close();
    expect(asked).toEqual(["k0-b", expect.stringMatching(/^k0-[ab]$/)]);
    await expect(driver.connect({ instance: "k0-c" })).rejects.toMatchObject({ code: "DRIVER_NOT_RUNNING" });
  });

  it("that answers nothing is given up with the caller's signal, in each call", async () => {
    made = true;
    pods = [pod("k0-a")];
    const driver = node();
    await (await driver.connect()).close();
    const stop = new AbortController();
    const { answer } = cluster;
    cluster.answer = (...call) => {
      stop.abort(new Error("enough"));
      return answer(...call);
    };
    const { signal } = stop;
    for (const call of ["status", "instances", "connect"] as const)
      await expect(driver[call]({ signal })).rejects.toMatchObject({ code: "ABORTED" });
    await expect(driver.remove({ signal })).rejects.toMatchObject({ code: "ABORTED" });
    expect(await driver.diagnose({ since: 0, signal })).toBeUndefined();
  });

  it("that takes the connection and says nothing is given up with the signal", async () => {
    made = true;
    pods = [pod("k0-a")];
    const stop = new AbortController();
    cluster.exec = (_path, process) => {
      process.resume();
      setTimeout(() => stop.abort(new Error("enough")), 5);
    };
    await expect(node().connect({ signal: stop.signal })).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("that refuses to tell what became of a pod is told as that, and nothing is asked of one never used", async () => {
    expect(await node().diagnose({ since: 0 })).toBeUndefined();
    made = true;
    pods = [pod("k0-a")];
    const driver = node();
    await (await driver.connect()).close();
    cluster.answer = () => ({ status: 403, body: { message: "not you" } });
    expect(await driver.diagnose({ since: 0 })).toContain("not you");
  });

  it.each<[what: string, status: Pod["status"], restarts: number, fate: string | undefined]>([
    [
      "ended",
      { containerStatuses: [{ name: "b", state: { terminated: { exitCode: 3 } } }] },
      0,
      "the daemon in pod x ended with exit code 3",
    ],
    [
      "ended without a code",
      { containerStatuses: [{ name: "b", state: { terminated: {} } }] },
      0,
      "the daemon in pod x ended with exit code unknown",
    ],
    [
      "began again before",
      { containerStatuses: [{ name: "b", restartCount: 2, lastState: { terminated: { exitCode: 1 } } }] },
      2,
      undefined,
    ],
    ["has failed", { phase: "Failed", message: "node\nlost" }, 0, "pod x has ended: Failed: node lost"],
    ["has ended well", { phase: "Succeeded" }, 0, "pod x has ended: Succeeded"],
    ["says nothing", {}, 0, undefined],
  ])("knows of a pod that %s", (_what, status, restarts, fate) => {
    expect(fateOf(pod("x", status), { restarts })).toBe(fate);
  });

  it("knows of a pod that is being removed", () => {
    expect(fateOf(gone(pod("x")), { restarts: 0 })).toBe("pod x is being removed");
  });
});

const gone = (one: Pod): Pod => ({ ...one, metadata: { ...one.metadata, deletionTimestamp: "now" } });

describe("pods", () => {
  it("are chosen for a context as buildx chooses them", () => {
    const three = ["k0-a", "k0-b", "k0-c"].map((name) => pod(name));
    const chosen = ["/work/app", "/work/lib", "/srv"].map((key) => stickyPod(three, key)?.metadata.name);
    expect(new Set(chosen).size).toBeGreaterThan(1);
    // The others' places stay when one goes.
    for (const key of ["/a", "/b", "/c", "/d"]) {
      const before = stickyPod(three, key);
      const gone = three.filter((one) => one !== before);
      expect(stickyPod(gone, key)).not.toBe(before);
      expect(stickyPod([...gone, before as Pod], key)).toBe(before);
    }
    expect(stickyPod([], "/a")).toBeUndefined();
  });

  it.each<[number, string, string]>([
    [2, "no buildctl here", "no buildctl here"],
    [3, JSON.stringify({ status: "Failure", message: "container not found" }), "container not found"],
  ])("whose process fails say why (channel %s)", async (number, said, expected) => {
    cluster.exec = (_path, _process, channel) => {
      queueMicrotask(() => {
        channel(number, Buffer.from(said));
        const causes = [{ reason: "ExitCode", message: "127" }];
        channel(3, Buffer.from(JSON.stringify({ status: "Failure", details: { causes } })));
      });
    };
    const stream = await dialPod(cluster.api(), { namespace: "ci", pod: "p" })();
    const error = await new Promise((resolve) => stream.once("error", resolve));
    expect(error).toMatchObject({
      code: "DRIVER_CONNECT",
      message: expect.stringContaining(expected) as string,
    });
  });

  it("that cannot be reached are explained by the API", async () => {
    cluster.exec = () => {
      throw new Error("Unexpected server response: 403");
    };
    const message = 'cannot create resource "pods/exec"';
    cluster.answer = () => ({ status: 403, body: { message, reason: "Forbidden" } });
    const dial = dialPod(cluster.api(), { namespace: "ci", pod: "p" });
    await expect(dial()).rejects.toMatchObject({
      code: "DRIVER_API",
      message: expect.stringContaining(message) as string,
    });
    cluster.answer = () => ({ status: 400, body: { message: "Upgrade request required" } });
    await expect(dial()).rejects.toThrow(
      /cannot run "buildctl dial-stdio" in pod ci\/p: Unexpected server response/,
    );
  });
});
