import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { callbackCredentials } from "./credentials.js";
import { type DockerCredentialsOptions, dockerCredentials } from "./docker-credentials.js";
import { engineAuth } from "./engine-auth.js";

let dir: string;
let now: number;
let warnings: string[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-credentials-"));
  now = 0;
  warnings = [];
});
afterEach(() => rm(dir, { recursive: true }));

const encode = (text: string) => ({ auth: Buffer.from(text).toString("base64") });
const file = async (path: string, content: unknown) => {
  await mkdir(dirname(join(dir, path)), { recursive: true });
  await writeFile(join(dir, path), typeof content === "string" ? content : JSON.stringify(content));
};
/** A helper that answers `<suffix>:<key>` and counts its runs. */
const helper = async (suffix: string, script?: string) => {
  const name = `bin/docker-credential-${suffix}`;
  const answer = `read -r key || true; printf '{"Username":"u","Secret":"${suffix} %s"}' "$key"`;
  await file(name, `#!/bin/sh\necho run >> ${dir}/runs\n${script ?? answer}\n`);
  await chmod(join(dir, name), 0o755);
};
const runs = async () => (await readFile(join(dir, "runs"), "utf8")).trim().split("\n").length;
const provider = (options: Partial<DockerCredentialsOptions> = {}) => {
  const { env, ...rest } = options;
  return dockerCredentials({
    env: { DOCKER_CONFIG: dir, PATH: `${dir}/bin:/usr/bin:/bin`, ...env },
    onWarning: (text) => warnings.push(text),
    now: () => now,
    ...rest,
  });
};
const ask = (find: ReturnType<typeof provider>, host: string, ...scopes: string[]) => find({ host, scopes });

test("auths: by host, by URL in old files, Docker Hub under its own key", async () => {
  await file("config.json", {
    auths: {
      "https://index.docker.io/v1/": encode("hub:h"),
      "https://old.example:5000/v2/": encode("old:o"),
      "r.example": { identitytoken: "id" },
      "empty.example": {},
    },
  });
  const find = provider();
  expect(await ask(find, "registry-1.docker.io")).toEqual({ username: "hub", password: "h" });
  expect(await ask(find, "old.example:5000")).toEqual({ username: "old", password: "o" });
  expect(await ask(find, "r.example")).toEqual({ identityToken: "id" });
  expect(await ask(find, "empty.example")).toBeUndefined();
  expect(await ask(find, "other.example")).toBeUndefined();
});

test("dhi.io takes Docker Hub's credentials when it has none", async () => {
  await file("config.json", {
    auths: { "https://index.docker.io/v1/": encode("hub:h"), "registry.scout.docker.com": encode("s:s") },
  });
  expect(await ask(provider(), "dhi.io")).toMatchObject({ username: "hub" });
  expect(await ask(provider(), "registry.scout.docker.com")).toMatchObject({ username: "s" });
});

test("DOCKER_AUTH_CONFIG goes before helpers, helpers before files", async () => {
  await helper("one");
  await helper("all");
  await file("config.json", {
    auths: { "a.example": encode("file:f"), "e.example": encode("file:f") },
    credHelpers: { "h.example": "one", "https://index.docker.io/v1/": "one" },
    credsStore: "all",
  });
  const DOCKER_AUTH_CONFIG = JSON.stringify({ auths: { "e.example": encode("env:e") } });
  const find = provider({ env: { DOCKER_AUTH_CONFIG } });
  expect(await ask(find, "e.example")).toEqual({ username: "env", password: "e" });
  expect(await ask(find, "h.example")).toEqual({ username: "u", password: "one h.example" });
  expect(await ask(find, "registry-1.docker.io")).toMatchObject({
    password: "one https://index.docker.io/v1/",
  });
  expect(await ask(find, "a.example")).toMatchObject({ password: "all a.example" });
  expect(warnings).toEqual([]);
});

test("an unusable DOCKER_AUTH_CONFIG is warned of once and passed over", async () => {
  await file("config.json", { auths: { h: encode("a:b"), i: encode("a:b") } });
  const find = provider({ env: { DOCKER_AUTH_CONFIG: '{"auths":{"h":{}}}' } });
  expect(await ask(find, "h")).toMatchObject({ username: "a" });
  expect(await ask(find, "i")).toMatchObject({ username: "a" });
  expect(warnings).toEqual([expect.stringContaining("ignoring DOCKER_AUTH_CONFIG")]);
});

test("SEC-20 a failing helper means no credentials for its host, and never another's", async () => {
  await helper("bad", "exit 1");
  await helper("hang", "exec sleep 600");
  await file("config.json", {
    auths: { "https://index.docker.io/v1/": encode("hub:h"), "b.example": encode("file:f") },
    credHelpers: { "b.example": "bad", "g.example": "hang", "m.example": "missing" },
  });
  const find = provider();
  const hasty = provider({ helperTimeoutMilliseconds: 150 });
  expect(await ask(find, "b.example")).toBeUndefined();
  expect(await ask(hasty, "g.example")).toBeUndefined();
  expect(await ask(find, "m.example")).toBeUndefined();
  expect(warnings).toEqual([
    expect.stringContaining("no credentials for b.example: credential helper docker-credential-bad failed"),
    expect.stringContaining("no credentials for g.example: credential helper docker-credential-hang did not"),
    expect.stringContaining(
      "no credentials for m.example: credential helper docker-credential-missing is not",
    ),
  ]);
});

test("answers are kept for 4 min 50 s, failures for half a minute", async () => {
  await helper("one");
  await helper("bad", "exit 1");
  await file("config.json", { credHelpers: { "h.example": "one", "b.example": "bad" } });
  const find = provider();
  await ask(find, "h.example");
  now = 290_000 - 1;
  await ask(find, "h.example");
  expect(await runs()).toBe(1);
  now = 290_000;
  await ask(find, "h.example");
  expect(await runs()).toBe(2);
  await ask(find, "b.example");
  await ask(find, "b.example");
  expect(await runs()).toBe(3);
  now += 30_000;
  await ask(find, "b.example");
  expect(await runs()).toBe(4);
});

test("configurations by scope replace the main one, the most specific first", async () => {
  const scoped = (path: string, user: string) =>
    file(`buildx/config/${path}/config.json`, { auths: { "r.example": encode(`${user}:p`) } });
  await file("config.json", { auths: { "r.example": encode("main:p") } });
  await scoped("r.example", "host");
  await scoped("r.example/team/app", "repo");
  await scoped("r.example/team/app@push,pull", "push");
  await scoped("r.example@push", "anypush");
  const find = provider();
  const user = async (...scopes: string[]) => (await ask(find, "r.example", ...scopes))?.username;
  expect(await user("repository:team/app:pull")).toBe("repo");
  expect(await user("repository:team/app:pull,push")).toBe("push");
  expect(await user("repository:other:push")).toBe("anypush");
  expect(await user("repository:other:pull")).toBe("host");
  expect(await user("repository:team/app:pull repository:b:pull")).toBe("main");
  expect(await user()).toBe("main");
});

test("a broken main configuration is told of by its path, and registries are asked anonymously", async () => {
  await file("config.json", "{");
  expect(await ask(provider(), "h")).toBeUndefined();
  expect(warnings).toEqual([expect.stringContaining(join(dir, "config.json"))]);
});

test("a callback goes first, leaves a host open, or withholds it", async () => {
  await file("config.json", { auths: { "r.example": encode("file:f"), "no.example": encode("file:f") } });
  const asked: string[] = [];
  const find = callbackCredentials(async ({ host }) => {
    asked.push(host);
    if (host === "docker.io") return { username: "cb", password: "x" };
    return host === "no.example" ? null : undefined;
  }, provider());
  expect(await ask(find, "registry-1.docker.io")).toEqual({ username: "cb", password: "x" });
  expect(await ask(find, "registry-1.docker.io")).toEqual({ username: "cb", password: "x" });
  expect(await ask(find, "r.example")).toMatchObject({ username: "file" });
  expect(await ask(find, "no.example")).toBeUndefined();
  expect(asked).toEqual(["docker.io", "docker.io", "r.example", "no.example"]);
});

test("the engine gets credentials under its own names", async () => {
  await file("config.json", {
    auths: {
      "https://index.docker.io/v1/": encode("hub:h"),
      "t.example": { identitytoken: "id", ...encode("0000:") },
    },
  });
  expect(await engineAuth("alpine:3", provider())).toEqual({
    username: "hub",
    password: "h",
    serveraddress: "https://index.docker.io/v1/",
  });
  expect(await engineAuth("t.example/a/b", provider())).toEqual({
    username: "0000",
    identitytoken: "id",
    serveraddress: "t.example",
  });
  expect(await engineAuth("u.example/a", provider())).toBeUndefined();
  await expect(engineAuth("A b", provider())).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
});

test("an empty credential helper for a host is none: the file's entry counts, whatever helper the others have", async () => {
  const dir = await mkdtemp(join(tmpdir(), "slipway-helper-"));
  const auth = Buffer.from("me:pass").toString("base64");
  await writeFile(
    join(dir, "config.json"),
    JSON.stringify({
      credsStore: "none-such",
      credHelpers: { "r.example": "" },
      auths: { "r.example": { auth } },
    }),
  );
  const warnings: string[] = [];
  const provider = dockerCredentials({
    env: { DOCKER_CONFIG: dir },
    onWarning: (text) => warnings.push(text),
  });
  expect(await provider({ host: "r.example", scopes: [] })).toEqual({ username: "me", password: "pass" });
  expect(warnings).toEqual([]);
  await rm(dir, { recursive: true });
});
