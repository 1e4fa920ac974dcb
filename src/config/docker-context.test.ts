import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { testCertificates } from "../../test/support/certificates.js";
import { loadDockerConfig } from "./docker-config.js";
import { listDockerContexts, resolveDockerEndpoint } from "./docker-context.js";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-context-"));
});
afterEach(() => rm(dir, { recursive: true }));

async function addContext(name: string, endpoint: unknown, tls: Record<string, string> = {}): Promise<void> {
  const id = createHash("sha256").update(name).digest("hex");
  const meta = join(dir, "contexts", "meta", id);
  await mkdir(meta, { recursive: true });
  await writeFile(
    join(meta, "meta.json"),
    JSON.stringify({ Name: name, Metadata: {}, Endpoints: { docker: endpoint } }),
  );
  const certs = join(dir, "contexts", "tls", id, "docker");
  await mkdir(certs, { recursive: true });
  for (const [file, content] of Object.entries(tls)) await writeFile(join(certs, file), content);
}

async function resolve(env: Record<string, string>, context?: string, currentContext?: string) {
  await writeFile(join(dir, "config.json"), JSON.stringify({ currentContext }));
  const config = await loadDockerConfig({ DOCKER_CONFIG: dir });
  return await resolveDockerEndpoint(env, config, context === undefined ? {} : { context });
}

test("the context in force: option, DOCKER_HOST, DOCKER_CONTEXT, configuration, default", async () => {
  for (const name of ["opt", "env", "cfg"]) await addContext(name, { Host: `unix:///${name}.sock` });
  const host = { DOCKER_HOST: "unix:///host.sock", DOCKER_CONTEXT: "env" };
  expect((await resolve(host, "opt", "cfg")).host).toBe("unix:///opt.sock");
  expect(await resolve(host, undefined, "cfg")).toEqual({
    contextName: "default",
    host: "unix:///host.sock",
    skipTlsVerify: false,
  });
  expect((await resolve({ DOCKER_CONTEXT: "env" }, undefined, "cfg")).host).toBe("unix:///env.sock");
  expect((await resolve({}, undefined, "cfg")).contextName).toBe("cfg");
  expect((await resolve({})).host).toBe("unix:///var/run/docker.sock");
  expect((await resolve({ DOCKER_CONTEXT: "default" }, undefined, "cfg")).contextName).toBe("default");
});

test("a context brings its TLS files, but not to a socket", async () => {
  const { ca, cert, key } = testCertificates;
  const tls = { "ca.pem": ca, "cert.pem": cert, "key.pem": key };
  await addContext("far", { Host: "tcp://far:2376", SkipTLSVerify: true }, tls);
  await addContext("near", { Host: "unix:///near.sock" }, tls);
  await addContext("plain", { Host: "tcp://plain:2375" });
  expect(await resolve({}, "far")).toEqual({
    contextName: "far",
    host: "tcp://far:2376",
    tls: { ca, cert, key },
    skipTlsVerify: true,
  });
  expect((await resolve({}, "near")).tls).toBeUndefined();
  expect((await resolve({}, "plain")).tls).toBeUndefined();
});

test.each([
  ["ca", "junk", "no certificate"],
  ["cert", "junk", "no certificate"],
  ["key", "junk", "the private key"],
  ["key", "", "the private key"],
])("a %s.pem that is %j is told by its path", async (name, content, why) => {
  for (const [file, text] of Object.entries(testCertificates))
    await writeFile(join(dir, `${file}.pem`), text);
  await writeFile(join(dir, `${name}.pem`), content);
  const env = { DOCKER_HOST: "tcp://h:2376", DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: dir };
  const path = join(dir, `${name}.pem`);
  await expect(resolve(env)).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringContaining(`${path}: ${why}`) as string,
  });
});

test("SEC-36 TLS of the default context: required CA when verifying, never silently plain", async () => {
  const env = { DOCKER_HOST: "tcp://h:2376", DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: dir };
  await expect(resolve(env)).rejects.toMatchObject({ path: join(dir, "ca.pem") });
  const { ca } = testCertificates;
  await writeFile(join(dir, "ca.pem"), ca);
  expect(await resolve(env)).toMatchObject({ tls: { ca }, skipTlsVerify: false });
  expect(await resolve({ DOCKER_HOST: "tcp://h:2376", DOCKER_TLS: "1" })).toMatchObject({
    tls: { ca },
    skipTlsVerify: true,
  });
  expect((await resolve({ DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: dir })).host).toBe(
    "tcp://localhost:2376",
  );
});

test("a missing context, a wrong name and a broken file are named", async () => {
  await expect(resolve({}, "none")).rejects.toMatchObject({
    code: "CONTEXT_NOT_FOUND",
    message: expect.stringContaining('context "none": context not found'),
  });
  await expect(resolve({}, "../x")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  await addContext("odd", { Host: 5 });
  await expect(resolve({}, "odd")).rejects.toThrow(/meta\.json: Endpoints\["docker"\]\["Host"\] must be/);
});

test("STO-1 a list of contexts leaves out the broken one and tells it", async () => {
  await addContext("zeta", { Host: "unix:///z.sock" });
  await addContext("alpha", { Host: "ssh://me@alpha" });
  await addContext("broken", {});
  const config = await loadDockerConfig({ DOCKER_CONFIG: dir });
  const problems: Error[] = [];
  const list = await listDockerContexts({}, config, { onProblem: (error) => problems.push(error) });
  expect(list.map((endpoint) => endpoint.contextName)).toEqual(["default", "alpha", "zeta"]);
  expect(problems).toHaveLength(1);
  expect(await listDockerContexts({}, { ...config, dir: join(dir, "none") })).toHaveLength(1);
});
