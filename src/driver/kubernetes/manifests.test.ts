import { describe, expect, it } from "vitest";
import { makeEndpoint, parseEndpoint } from "./endpoint.js";
import { deploymentName, nodeManifests } from "./manifests.js";
import { parseKubernetesOptions } from "./options.js";

function manifests(driverOpts: Record<string, string>, more: object = {}) {
  const options = parseKubernetesOptions(driverOpts);
  const spec = { name: "k10", namespace: "ci", platforms: [], flags: ["--debug"], files: new Map() };
  return nodeManifests({ ...spec, options, ...more });
}

function podOf({ workload }: ReturnType<typeof manifests>) {
  const { template } = workload["spec"] as { template: { metadata: object; spec: Record<string, unknown> } };
  const [container] = template.spec["containers"] as Record<string, unknown>[];
  return { ...template, container };
}

describe("the objects of a node", () => {
  it("are a Deployment, named, labelled and probed as buildx's", () => {
    const made = manifests({}, { platforms: ["linux/amd64", "linux/arm64"] });
    const annotations = { "buildx.docker.com/platform": "linux/amd64,linux/arm64" };
    expect(made).toMatchObject({
      kind: "Deployment",
      selector: { app: "k10" },
      configMaps: [],
      workload: {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "k10", namespace: "ci", labels: { app: "k10" }, annotations },
        spec: { replicas: 1, selector: { matchLabels: { app: "k10" } } },
      },
    });
    expect(podOf(made)).toMatchObject({
      metadata: { labels: { app: "k10" }, annotations },
      container: {
        name: "buildkitd",
        image: "moby/buildkit:buildx-stable-1",
        args: ["--debug"],
        securityContext: { privileged: true },
        readinessProbe: { exec: { command: ["buildctl", "debug", "workers"] }, periodSeconds: 30 },
        resources: { requests: {}, limits: {} },
      },
    });
    expect(deploymentName("my_builder0")).toBe("my-builder0");
  });

  it("have what the options ask for", () => {
    const made = manifests({
      replicas: "3",
      "requests.cpu": "500m",
      "requests.ephemeral-storage": "2Gi",
      "limits.memory": "4Gi",
      nodeselector: "disk=ssd,zone=a",
      tolerations:
        "key=a,operator=Equal,value=b,effect=NoSchedule;key=c,operator=Exists,tolerationSeconds=30",
      annotations: "team=x",
      labels: "tier=build",
      serviceaccount: "builder",
      schedulername: "mine",
      "qemu.install": "true",
      "env.HTTP_PROXY": "http://p",
    });
    expect(made).toMatchObject({
      selector: { app: "k10", tier: "build" },
      workload: { metadata: { annotations: { team: "x" } }, spec: { replicas: 3 } },
    });
    const { spec, container } = podOf(made);
    expect(container).toMatchObject({
      resources: { requests: { cpu: "500m", "ephemeral-storage": "2Gi" }, limits: { memory: "4Gi" } },
      env: [{ name: "HTTP_PROXY", value: "http://p" }],
    });
    expect(spec).toMatchObject({
      serviceAccountName: "builder",
      schedulerName: "mine",
      nodeSelector: { disk: "ssd", zone: "a" },
      tolerations: [
        { key: "a", operator: "Equal", value: "b", effect: "NoSchedule" },
        { key: "c", operator: "Exists", tolerationSeconds: 30 },
      ],
      initContainers: [{ name: "qemu", image: "tonistiigi/binfmt:latest", args: ["--install", "all"] }],
    });
  });

  it("mount config files by their directories, also beside a claim", () => {
    const files = new Map<string, Uint8Array>([
      ["buildkitd.toml", Buffer.from("debug = true")],
      ["certs/r/ca.pem", Buffer.from("PEM")],
      ["certs/r/raw.der", Buffer.of(0x30, 0xff)],
    ]);
    const made = manifests({ "persistent-volume-claim.requests.storage": "10Gi" }, { files });
    expect(made.configMaps).toMatchObject([
      { metadata: { name: "k10-config", namespace: "ci" }, data: { "buildkitd.toml": "debug = true" } },
      { metadata: { name: "k10-config-1" }, data: { "ca.pem": "PEM" }, binaryData: { "raw.der": "MP8=" } },
    ]);
    expect(made).toMatchObject({
      kind: "StatefulSet",
      workload: {
        spec: {
          serviceName: "buildkitd",
          podManagementPolicy: "Parallel",
          volumeClaimTemplates: [{ spec: { resources: { requests: { storage: "10Gi" } } } }],
        },
      },
    });
    expect(podOf(made).container?.["volumeMounts"]).toEqual([
      { name: "config", mountPath: "/etc/buildkit" },
      { name: "config-1", mountPath: "/etc/buildkit/certs/r" },
      { name: "buildkitd", mountPath: "/var/lib/buildkit" },
    ]);
  });

  it("run without privileges, or in memory, where asked for", () => {
    const rootless = podOf(manifests({ rootless: "true", "buildkit-root-volume-memory": "1Gi" }));
    expect(rootless.container).toMatchObject({
      image: "moby/buildkit:buildx-stable-1-rootless",
      args: ["--debug", "--oci-worker-no-process-sandbox"],
      securityContext: { seccompProfile: { type: "Unconfined" } },
    });
    expect(rootless.spec["volumes"]).toEqual([
      { name: "buildkitd", emptyDir: { medium: "Memory", sizeLimit: "1Gi" } },
    ]);
    const memory = podOf(manifests({ "buildkit-root-volume-memory": "1Gi" }));
    expect(memory.container).toMatchObject({
      volumeMounts: [{ name: "buildkit-memory", mountPath: "/var/lib/buildkit" }],
    });
  });
});

describe("driver options", () => {
  it.each<[Record<string, string>, string]>([
    [{ image2: "x" }, "invalid driver option image2"],
    [{ replicas: "0" }, "replicas: not a whole number, 1 or more"],
    [{ replicas: "99999999999" }, "replicas: not a whole number"],
    [{ "requests.cpu": "lots" }, "requests.cpu: not a quantity"],
    [{ "limits.memory": "4 GiB" }, "limits.memory: not a quantity"],
    [{ nodeselector: "disk" }, "nodeselector: invalid key-value pair: disk"],
    [{ labels: "app=x" }, 'labels: "app" is reserved'],
    [{ annotations: "buildx.docker.com/platform=x" }, "is reserved and cannot be customized"],
    [{ tolerations: "kay=x" }, 'tolerations: invalid toleration "kay=x"'],
    [{ tolerations: "key=x,tolerationSeconds=soon" }, "is not a whole number"],
    [{ loadbalance: "fair" }, "loadbalance: neither sticky nor random"],
    [{ rootless: "maybe" }, "rootless: not a boolean"],
    [{ timeout: "soon" }, "driver option timeout"],
    [{ timeout: "0s" }, "timeout: not a duration above zero"],
    [{ "env.": "x" }, 'invalid env option "env."'],
    [{ toString: "x" }, "invalid driver option toString"],
    [
      { "persistent-volume-claim.requests.storage": "1Gi", "buildkit-root-volume-memory": "1Gi" },
      "for the same directory",
    ],
  ])("%j are refused", (driverOpts, reason) => {
    expect(() => parseKubernetesOptions(driverOpts)).toThrow(
      expect.objectContaining({ code: "DRIVER_OPTION", message: expect.stringContaining(reason) as string }),
    );
  });

  it("have buildx's defaults; an empty one is as none", () => {
    const defaults = { replicas: 1, timeout: 120_000, loadBalance: "sticky", rootless: false };
    expect(parseKubernetesOptions({})).toMatchObject(defaults);
    expect(
      parseKubernetesOptions({ image: "", namespace: "", timeout: "1m30s", labels: '"a=b"' }),
    ).toMatchObject({
      image: "moby/buildkit:buildx-stable-1",
      timeout: 90_000,
      labels: { a: "b" },
    });
    expect(parseKubernetesOptions({ labels: "__proto__=x" }).labels).toHaveProperty("__proto__", "x");
  });
});

describe("endpoints", () => {
  it("are buildx's", () => {
    const endpoint = makeEndpoint("k1", "n", "/home/me/a b.conf");
    expect(endpoint).toBe("kubernetes:///k1?deployment=n&kubeconfig=%2Fhome%2Fme%2Fa+b.conf");
    expect(parseEndpoint(endpoint)).toEqual({ kubeconfig: "/home/me/a b.conf" });
    expect(makeEndpoint("k1", undefined, undefined)).toMatch(
      /^kubernetes:\/\/\/k1\?deployment=buildkit-[-0-9a-f]{36}-[0-9a-f]{5}&kubeconfig=$/,
    );
    expect(parseEndpoint("kubernetes:///k1?deployment=n&kubeconfig=")).toEqual({});
    expect(parseEndpoint("unix:///x?kubeconfig=y")).toEqual({});
    expect(parseEndpoint(makeEndpoint("k", "n", "rel/config")).kubeconfig).toBe(
      `${process.cwd()}/rel/config`,
    );
  });
});
