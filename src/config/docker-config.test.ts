import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildxConfigDir, dockerConfigDir } from "./config-dir.js";
import { loadDockerConfig, parseAuthEnvironment } from "./docker-config.js";
import { proxyBuildArgs } from "./proxies.js";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-config-"));
});
afterEach(() => rm(dir, { recursive: true }));

const base64 = (text: string) => Buffer.from(text).toString("base64");
const load = async (content: string) => {
  await writeFile(join(dir, "config.json"), content);
  return await loadDockerConfig({ DOCKER_CONFIG: dir });
};

test("directories follow the environment", () => {
  expect(dockerConfigDir({ DOCKER_CONFIG: "/d" })).toBe("/d");
  expect(dockerConfigDir({ HOME: "/h" })).toBe("/h/.docker");
  expect(buildxConfigDir({ HOME: "/h" })).toBe("/h/.docker/buildx");
  expect(buildxConfigDir({ DOCKER_CONFIG: "/d" })).toBe("/d/buildx");
  expect(buildxConfigDir({ BUILDX_CONFIG: "/b", DOCKER_CONFIG: "/d" })).toBe("/b");
});

test("a missing and an empty file are an empty configuration", async () => {
  const missing = await loadDockerConfig({ DOCKER_CONFIG: join(dir, "none") });
  expect(missing.auths.size).toBe(0);
  expect(missing.path).toBe(join(dir, "none", "config.json"));
  expect((await load(" \n")).credHelpers.size).toBe(0);
});

test("reads credentials, helpers, proxies and the context, names in any case", async () => {
  const config = await load(
    JSON.stringify({
      auths: {
        "r.example": { auth: base64("me:pa:ss\0\0"), email: "x" },
        "t.example": { identitytoken: "id", auth: base64("0000:") },
        "u.example": { username: "u", password: "p", registrytoken: "rt" },
        "empty.example": {},
      },
      CredsStore: "pass",
      credHelpers: { "gcr.io": "gcloud" },
      proxies: { default: { httpProxy: "http://p", allProxy: "x" }, "tcp://h": { noProxy: "a" } },
      currentContext: "far",
      pruneFilters: ["until=1h"],
      HttpHeaders: null,
    }),
  );
  expect(Object.fromEntries(config.auths)).toEqual({
    "r.example": { username: "me", password: "pa:ss" },
    "t.example": { username: "0000", identityToken: "id" },
    "u.example": { username: "u", password: "p", registryToken: "rt" },
    "empty.example": {},
  });
  expect(config.credsStore).toBe("pass");
  expect(config.credHelpers.get("gcr.io")).toBe("gcloud");
  expect(config.currentContext).toBe("far");
  expect(config.pruneFilters).toEqual(["until=1h"]);
  expect([...proxyBuildArgs(config, "unix:///x")]).toEqual([["HTTP_PROXY", "http://p"]]);
  expect([...proxyBuildArgs(config, "tcp://h")]).toEqual([["NO_PROXY", "a"]]);
});

test.each([
  ["{", "invalid JSON"],
  ["[]", "must be a JSON object"],
  ["null", "must be a JSON object"],
  ['{"auths":{"r.example":{"auth":"', "invalid JSON"],
])("a broken file %s is left out and told of, as docker does it", async (content, problem) => {
  const path = join(dir, "config.json");
  const { problems, auths, raw } = await load(content);
  expect(problems).toEqual([expect.stringMatching(`^ignoring docker's configuration: ${path}: ${problem}`)]);
  expect([auths.size, raw]).toEqual([0, {}]);
});

test.each([
  ['{"auths":[]}', "auths must be an object"],
  ['{"auths":{"h":{"auth":"!!"}}}', 'auths["h"]["auth"] is not base64 of user:password'],
  ['{"auths":{"h":{"password":5}}}', 'auths["h"]["password"] must be a string'],
  ['{"credsStore":1}', "credsStore must be a string"],
])("a part of the file that is broken, %s, is named and left out", async (content, problem) => {
  expect((await load(content)).problems).toEqual([
    `ignoring a part of ${join(dir, "config.json")}: ${problem}`,
  ]);
});

test("SEC-16 an error does not quote the file's content", async () => {
  const broken = await load('{"auths":{"h":{"password":"hunter2" x');
  expect(broken.problems.join()).toContain("invalid JSON");
  expect(broken.problems.join()).not.toContain("hunter2");
  const { problems } = await load(`{"auths":{"h":{"auth":"${base64("hunter2")}"}}}`);
  expect(problems.join()).not.toContain(base64("hunter2"));
});

test("DOCKER_AUTH_CONFIG takes auth and nothing else", () => {
  const parse = (value: unknown) => parseAuthEnvironment({ DOCKER_AUTH_CONFIG: JSON.stringify(value) });
  expect(parseAuthEnvironment({})).toBeUndefined();
  expect(parse({ auths: { h: { auth: base64("a:b") } } })?.get("h")).toEqual({
    username: "a",
    password: "b",
  });
  expect(() => parse({ auths: { h: {} } })).toThrow('auths["h"] is missing key `auth`');
  expect(() => parse({ auths: { h: { auth: base64("a:b"), email: "x" } } })).toThrow("not a known field");
  expect(() => parse({ credsStore: "x" })).toThrow("DOCKER_AUTH_CONFIG: credsStore is not a known field");
});

test("what cannot be used is left out and told of; the rest is there", async () => {
  const config = await load(
    `{"auths":{"bad.example":{"auth":"!!"},"odd.example":5,"r.example":{"auth":"${base64("me:pass")}"}},` +
      '"credHelpers":{"none.example":"","list.example":[]},"currentContext":5,"pruneFilters":"x","proxies":[]} trailing {"auths":{}}',
  );
  expect(Object.fromEntries(config.auths)).toEqual({ "r.example": { username: "me", password: "pass" } });
  expect(Object.fromEntries(config.credHelpers)).toEqual({ "none.example": "" });
  expect(config.currentContext).toBeUndefined();
  expect(config.problems).toHaveLength(7);
  expect(config.problems[0]).toMatch(/^ignoring what stands behind the object in .*config.json$/);
  expect(config.problems.join("\n")).toMatch(/auths\["bad.example"\]\["auth"\] is not base64/);
  expect(config.problems.join("\n")).not.toContain("!!");
});

test("a byte order mark at the head is no part of the text; what is no JSON at all is left out, or refused", async () => {
  expect((await load('\uFEFF{"currentContext":"far"}')).currentContext).toBe("far");
  for (const broken of ["{", '{"a"', "x {}", "[]", '{"a":"}"']) {
    expect((await load(broken)).problems).toHaveLength(1);
    await expect(loadDockerConfig({}, { dir, strict: true })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
    });
  }
});

test("SEC-70 a directory that others can write to is told of", async () => {
  await chmod(dir, 0o777);
  expect((await load("{}")).problems).toEqual([
    `${join(dir, "config.json")} may be somebody else's work, since every user of this machine can write to it: chmod go-w ${dir}`,
  ]);
  await chmod(dir, 0o755);
  expect((await load("{}")).problems).toEqual([]);
});
