import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeRegistry } from "../../test/support/fake-registry.js";
import { isSlipwayError } from "../core/index.js";
import { loginToRegistry, logoutFromRegistry, serverHost } from "./registry-login.js";

let dir: string;
let config: string;
let env: Record<string, string>;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-login-"));
  config = join(dir, "docker", "config.json");
  env = { DOCKER_CONFIG: join(dir, "docker"), PATH: `${dir}:${process.env["PATH"]}` };
});
afterEach(() => rm(dir, { recursive: true }));

const read = async () => JSON.parse(await readFile(config, "utf8")) as { auths: object };
const me = { username: "me", password: "secret" };
const auth = Buffer.from("me:secret").toString("base64");

test.each(["basic", "bearer"] as const)(
  "keeps what the registry takes, by %s, in a file of the user's own",
  async (kind) => {
    await using registry = await fakeRegistry({ auth: kind });
    const { host } = registry;
    expect(await loginToRegistry({ server: `http://${host}/v2/`, ...me, env })).toBe(config);
    expect(await read()).toEqual({ auths: { [host]: { auth } } });
    expect((await stat(config)).mode & 0o777).toBe(0o600);
  },
);

test.each(["basic", "bearer"] as const)(
  "changes nothing when the registry refuses it, by %s",
  async (kind) => {
    await using registry = await fakeRegistry({ auth: kind });
    const refused = loginToRegistry({ server: registry.host, username: "me", password: "wrong", env });
    await expect(refused).rejects.toMatchObject({ code: "REGISTRY_UNAUTHORIZED" });
    await expect(refused).rejects.not.toThrow("wrong");
    expect(await readdir(dir)).toEqual([]);
  },
);

test("what else is in the file stays, and so does a link in its place", async () => {
  await using registry = await fakeRegistry({ auth: "basic" });
  await mkdir(join(dir, "docker"));
  const real = join(dir, "real.json");
  const before = { zz: { unknown: [1] }, auths: { other: { auth: "eDp5" } }, __proto: "x", HttpHeaders: {} };
  await writeFile(real, JSON.stringify(before));
  await symlink(real, config);
  await loginToRegistry({ server: registry.host, ...me, env });
  expect((await lstat(config)).isSymbolicLink()).toBe(true);
  expect(await read()).toEqual({ ...before, auths: { ...before.auths, [registry.host]: { auth } } });
  await logoutFromRegistry({ server: registry.host, env });
  expect(await read()).toEqual(before);
});

test("links that lead nowhere yet are followed", async () => {
  await using registry = await fakeRegistry({ auth: "basic" });
  await mkdir(join(dir, "elsewhere"));
  await symlink(join(dir, "elsewhere"), join(dir, "docker"));
  await symlink("second.json", config);
  await symlink("../real.json", join(dir, "elsewhere", "second.json"));
  await loginToRegistry({ server: registry.host, ...me, env });
  expect(JSON.parse(await readFile(join(dir, "real.json"), "utf8"))).toEqual({
    auths: { [registry.host]: { auth } },
  });
  for (const name of ["config.json", "second.json"])
    expect((await lstat(join(dir, "docker", name))).isSymbolicLink()).toBe(true);
});

const places: Readonly<Record<string, (config: string) => Promise<unknown>>> = {
  "a directory": (config) => mkdir(config),
  "a named pipe": (config) => promisify(execFile)("mkfifo", [config]),
  "a link to a device": (config) => symlink("/dev/null", config),
  "a link to a full device": (config) => symlink("/dev/full", config),
  "a link to nowhere in a directory that is not there": (config) => symlink("/nowhere/at/all.json", config),
  "a link to itself": (config) => symlink("config.json", config),
};

test.each(Object.entries(places))(
  "%s in the file's place is told by its path, and stays",
  async (_, make) => {
    await using registry = await fakeRegistry({ auth: "basic" });
    await mkdir(join(dir, "docker"));
    await make(config);
    const before = await lstat(config);
    const refused = loginToRegistry({ server: registry.host, ...me, env });
    await expect(refused).rejects.toThrow(config);
    await expect(refused).rejects.toSatisfy((error) =>
      isSlipwayError(error, ["FS_WRITE", "CONFIG_UNREADABLE"]),
    );
    expect((await lstat(config)).ino).toBe(before.ino);
    expect(await readdir(join(dir, "docker"))).toEqual(["config.json"]);
  },
);

test.each([
  ["a file", "file/docker"],
  ["what nobody can make a directory in", "/proc/docker"],
])("a directory for it that is below %s is told by the file's path", async (_, given) => {
  await using registry = await fakeRegistry({ auth: "basic" });
  await writeFile(join(dir, "file"), "");
  const DOCKER_CONFIG = resolve(dir, given);
  const refused = loginToRegistry({ server: registry.host, ...me, env: { ...env, DOCKER_CONFIG } });
  await expect(refused).rejects.toMatchObject({
    code: "FS_WRITE",
    message: expect.stringContaining(join(DOCKER_CONFIG, "config.json")) as string,
  });
});

test("a broken file is refused by its path, and left alone", async () => {
  await using registry = await fakeRegistry({ auth: "basic" });
  await mkdir(join(dir, "docker"));
  for (const content of ["{", "[]", '{"auths":'])
    await writeFile(config, content).then(async () => {
      await expect(loginToRegistry({ server: registry.host, ...me, env })).rejects.toThrow(config);
      await expect(logoutFromRegistry({ server: registry.host, env })).rejects.toThrow(config);
      expect(await readFile(config, "utf8")).toBe(content);
    });
});

test("a credential helper gets the password, and the file only a mark", async () => {
  await using registry = await fakeRegistry({ auth: "basic" });
  const helper = join(dir, "docker-credential-test");
  await writeFile(helper, `#!/bin/sh\necho "$1 $(cat)" >>${dir}/asked\n`);
  await chmod(helper, 0o755);
  await mkdir(join(dir, "docker"));
  await writeFile(config, JSON.stringify({ credsStore: "test" }));
  expect(await loginToRegistry({ server: registry.host, ...me, env })).toBeUndefined();
  expect(await read()).toEqual({ credsStore: "test", auths: { [registry.host]: {} } });
  await logoutFromRegistry({ server: registry.host, env });
  const asked = (await readFile(join(dir, "asked"), "utf8")).trim().split("\n");
  expect(JSON.parse(asked[0]?.replace("store ", "") ?? "")).toEqual({
    ServerURL: registry.host,
    Username: "me",
    Secret: "secret",
  });
  expect(asked.slice(1)).toEqual(
    ["", "http://", "https://"].map((scheme) => `erase ${scheme}${registry.host}`),
  );
  expect(await read()).toEqual({ credsStore: "test", auths: {} });
});

test("logging out where nobody is logged in changes nothing", async () => {
  await logoutFromRegistry({ server: "registry.example.com", env });
  await logoutFromRegistry({ env });
  expect(await readdir(dir)).toEqual([]);
});

test.each([
  [undefined, "docker.io"],
  ["index.docker.io", "docker.io"],
  ["https://registry.example.com/v2/", "registry.example.com"],
  ["registry.example.com:5000", "registry.example.com:5000"],
  ["[::1]:5000", "[::1]:5000"],
])("%s is %s", (given, host) => expect(serverHost(given)).toBe(host));

test.each(["", "a b", "-x", "user@host", "a\nb", "https://"])("%j is no registry", (given) =>
  expect(() => serverHost(given)).toThrow("invalid registry"),
);
