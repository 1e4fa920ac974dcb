import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { answersInfo } from "../../../test/support/fake-builder.js";
import { FakeBuildkitd } from "../../../test/support/fake-buildkitd.js";
import { FakeCluster } from "../../../test/support/fake-cluster.js";
import { loadDockerConfig } from "../../config/index.js";
import { loadDriver } from "../load-driver.js";
import { openAddress } from "../remote/open-address.js";
import { openCluster } from "./cluster.js";
import { ClusterApi } from "./cluster-api.js";
import { makeEndpoint } from "./endpoint.js";

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), "slipway-cluster-"))));
afterEach(() => rm(dir, { recursive: true }));

/** A kubeconfig, in JSON, which is YAML too. */
function kubeconfig(server: unknown = "http://127.0.0.1:1", more: object = {}): object {
  return {
    "current-context": "here",
    contexts: [{ name: "here", context: { cluster: "c", user: "u", namespace: "ci" } }],
    clusters: [{ name: "c", cluster: { server } }],
    users: [{ name: "u", user: { token: "s3cr3t" } }],
    ...more,
  };
}

/** Over plain HTTP, as the package allows it. */
const plain = (server: string) => ({
  clusters: [{ name: "c", cluster: { server, "insecure-skip-tls-verify": true } }],
});

async function written(content: object | string | Uint8Array, name = "config"): Promise<string> {
  const path = join(dir, name);
  const isText = typeof content === "string" || content instanceof Uint8Array;
  await writeFile(path, isText ? content : JSON.stringify(content));
  return path;
}

const env = (KUBECONFIG?: string) => ({ HOME: dir, ...(KUBECONFIG !== undefined && { KUBECONFIG }) });
const refusal = (source: Parameters<typeof openCluster>[0]) =>
  openCluster(source).then(
    () => expect.fail("should have been refused"),
    (error: Error & { code?: string }) => error,
  );

describe("a cluster", () => {
  it("is found by path, by KUBECONFIG and in the home directory", async () => {
    const path = await written(kubeconfig("https://api.example.com:6443/"));
    const found = { server: "https://api.example.com:6443", namespace: "ci" };
    expect(await openCluster({ env: env("/nowhere"), kubeconfig: path })).toMatchObject(found);
    expect(await openCluster({ env: env(path) })).toMatchObject(found);
    await mkdir(join(dir, ".kube"));
    await symlink(path, join(dir, ".kube", "config"));
    expect(await openCluster({ env: env() })).toMatchObject(found);
    expect(await openCluster({ env: env("") })).toMatchObject(found);
  });

  it("of several files is that of the first which has a current context; what is not there is passed over", async () => {
    const first = await written(kubeconfig("http://first:1"), "first");
    const other = {
      "current-context": "there",
      contexts: [{ name: "there", context: { cluster: "d", user: "v" } }],
      clusters: [{ name: "d", cluster: { server: "http://second:1" } }],
      users: [{ name: "v", user: {} }],
    };
    const second = await written(other, "second");
    const list = (...paths: string[]) => paths.join(delimiter);
    const named = list("", join(dir, "absent"), first, second);
    expect(await openCluster({ env: env(named) })).toMatchObject({ server: "http://first:1" });
    expect(await openCluster({ env: env(named), context: "there" })).toMatchObject({
      server: "http://second:1",
      namespace: "default",
    });
    expect((await refusal({ env: env(list(first, first)) })).message).toContain("do not go together: ");
    expect((await refusal({ env: env(list("/nowhere/a", "/nowhere/b")) })).message).toContain(
      "none of these files is there",
    );
  });

  it("is named when there is none, and by what is missing in its file", async () => {
    expect((await refusal({ env: env() })).message).toContain("no kubeconfig: neither KUBECONFIG nor ");
    const path = await written(kubeconfig());
    expect((await refusal({ env: env(path), context: "gone" })).message).toContain('has no context "gone"');
  });

  it.each<[what: string, content: object | string | Uint8Array, message: RegExp]>([
    ["nothing", "", /it is not a kubeconfig|no current context/],
    ["a text", "s3cr3t", /it is not a kubeconfig|no current context/],
    ["a number", "7", /it is not a kubeconfig|no current context/],
    ["a list", "[1]", /it is not a kubeconfig|no current context/],
    ["broken YAML", "users:\n  - token: s3cr3t\n bad", /cannot read kubeconfig/],
    ["a tag of YAML's", "a: !s3cr3t x", /cannot read kubeconfig/],
    ["an alias that is not there", "a: *s3cr3t", /cannot read kubeconfig/],
    ["bytes that are no text", Buffer.from([0xff, 0xfe, 0, 1]), /cannot read kubeconfig/],
    [
      "no current context",
      kubeconfig(undefined, { "current-context": "" }),
      /has no current context; choose/,
    ],
    [
      "a current context that is a number",
      kubeconfig(undefined, { "current-context": 7 }),
      /has no context 7/,
    ],
    ["a context that is not there", kubeconfig(undefined, { "current-context": "x" }), /has no context "x"/],
    ["entries that are null", kubeconfig(undefined, { contexts: [null] }), /it is not a kubeconfig/],
    ["a context without a body", kubeconfig(undefined, { contexts: [{ name: "here" }] }), /context/],
    ["no clusters", kubeconfig(undefined, { clusters: {} }), /no usable server/],
    [
      "another cluster",
      kubeconfig(undefined, { clusters: [{ name: "d", cluster: { server: "http://x" } }] }),
      /no usable server/,
    ],
    ["no server", kubeconfig(""), /server/],
    ["a server that is no URL", kubeconfig("api.example.com"), /no usable server/],
    ["a server of another scheme", kubeconfig("file:///etc"), /no usable server/],
    ["a server that is a number", kubeconfig(7), /kubeconfig|server/],
    ["a server with a port that is none", kubeconfig("https://x:port"), /no usable server/],
  ])("is refused when its file has %s, without what is in it", async (_what, content, message) => {
    const path = await written(content);
    const error = await refusal({ env: env(path) });
    expect(error).toMatchObject({ code: "DRIVER_KUBECONFIG" });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(path);
    expect(error.message).not.toContain("s3cr3t");
  });

  it.each(["a directory", "a link to itself", "too long", "missing", "a directory's child"])(
    "is refused when its file is %s",
    async (kind) => {
      const path = join(dir, "config");
      if (kind === "a directory") await mkdir(path);
      if (kind === "a link to itself") await symlink(path, path);
      if (kind === "too long") await writeFile(path, Buffer.alloc((4 << 20) + 1, "#"));
      if (kind === "a directory's child") await writeFile(path, "");
      const named = kind === "a directory's child" ? join(path, "x") : path;
      expect(await refusal({ env: env(named) })).toMatchObject({
        code: "DRIVER_KUBECONFIG",
        message: expect.stringContaining(`cannot read kubeconfig ${named}: `) as string,
      });
    },
  );
});

describe("credentials", () => {
  const failing = async (user: object, cluster: object = {}) => {
    const config = kubeconfig("https://127.0.0.1:1", {
      users: [{ name: "u", user }],
      clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1", ...cluster } }],
    });
    const api = new ClusterApi(await openCluster({ env: env(await written(config)) }));
    return api.call("GET", "/api").then(
      () => expect.fail("should have failed"),
      (error: Error) => error,
    );
  };

  it.each<[what: string, user: object, cluster?: object]>([
    [
      "a plug-in that is not there",
      { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "/no/such/plug-in" } },
    ],
    ["a plug-in that fails", { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "false" } }],
    ["a certificate that is not there", { "client-certificate": "/no/cert", "client-key": "/no/key" }],
    ["an authority that is not there", { token: "t" }, { "certificate-authority": "/no/ca" }],
    ["a certificate that is none", { "client-certificate-data": "bm9uZQ==", "client-key-data": "bm9uZQ==" }],
    ["a token with a line break", { token: "two\nlines" }],
  ])("of %s are told as that, without being used", async (_what, user, cluster) => {
    expect(await failing(user, cluster)).toMatchObject({
      code: "DRIVER_KUBECONFIG",
      message: expect.stringContaining(
        "credentials for https://127.0.0.1:1 that the kubeconfig names: ",
      ) as string,
    });
  });

  it("that a plug-in gives go out with each call", async () => {
    await using fake = await FakeCluster.start();
    fake.answer = () => ({ body: {} });
    const plugIn = join(dir, "plug-in");
    const answer = {
      apiVersion: "client.authentication.k8s.io/v1",
      kind: "ExecCredential",
      status: { token: "given" },
    };
    await writeFile(plugIn, `#!/bin/sh\necho '${JSON.stringify(answer)}'\n`);
    await chmod(plugIn, 0o755);
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: plugIn };
    const config = kubeconfig(fake.url, { users: [{ name: "u", user: { exec } }], ...plain(fake.url) });
    const api = new ClusterApi(await openCluster({ env: env(await written(config)) }));
    expect(await api.call("GET", "/api")).toEqual({});
    expect((await api.requestOptions()).headers).toMatchObject({ Authorization: "Bearer given" });
  });
});

describe("a node of the store and an address", () => {
  const dockerConfig = loadDockerConfig({ DOCKER_CONFIG: "/nowhere" });

  it("are read by the first call, and again when that could not", async () => {
    await using fake = await FakeCluster.start();
    await using daemon = new FakeBuildkitd({ services: [answersInfo()] });
    const path = join(dir, "config");
    const spec = { driver: "kubernetes", nodeName: "b_0", driverOpts: {}, flags: [], files: new Map() };
    const endpoint = makeEndpoint("b", "b_0", path);
    const driver = await loadDriver({ ...spec, endpoint, env: env(), dockerConfig: await dockerConfig });
    await expect(driver.status()).rejects.toMatchObject({ code: "DRIVER_KUBECONFIG" });
    const { dial } = await openAddress("kube-pod://p", { env: env(path), dockerConfig: await dockerConfig });
    await expect(dial()).rejects.toMatchObject({ code: "DRIVER_KUBECONFIG" });
    // It is there from now on.
    await written(kubeconfig(fake.url, plain(fake.url)));
    fake.exec = (_path, process) => daemon.serve(process);
    fake.answer = () => ({ status: 404, body: { reason: "NotFound", message: "no such thing" } });
    expect(await driver.status()).toBe("inactive");
    expect(fake.asked[0]?.path).toBe("/apis/apps/v1/namespaces/ci/deployments/b-0");
    // A real WebSocket, which this server does not upgrade to.
    await expect(dial()).rejects.toMatchObject({ code: "DRIVER_API", status: 404 });
  });

  it("that wait for a pipe without a writer are given up by the caller's signal, who alone gives up", async () => {
    const path = join(dir, "config");
    execFileSync("mkfifo", [path]);
    const stop = new AbortController();
    const { dial } = await openAddress("kube-pod://p", { env: env(path), dockerConfig: await dockerConfig });
    const given = dial(stop.signal);
    const other = dial().catch((error: unknown) => error);
    setTimeout(() => stop.abort(new Error("enough")), 20);
    await expect(given).rejects.toMatchObject({ code: "ABORTED" });
    await writeFile(path, "7");
    expect(await other).toMatchObject({ code: "DRIVER_KUBECONFIG" });
  });
});
