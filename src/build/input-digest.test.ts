import fs, { openSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Environment } from "../config/index.js";
import { files, tar } from "./contexts.js";
import { type PlanOptions, plan } from "./build-plan.js";

// Files share a process and its modules: those that other files loaded are not mocked, and these are of no use to them.
vi.hoisted(() => vi.resetModules());
afterAll(() => void vi.resetModules());

// What is opened while a tree is walked can be counted.
vi.mock("node:fs", async (original) => {
  const real = await original<typeof fs>();
  return { ...real, openSync: vi.fn<typeof fs.openSync>(real.openSync) };
});
const opened = vi.mocked(openSync);

let root: string;
let context: string;
let env: Environment;

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "slipway-digest-"));
  env = { HOME: root, PATH: process.env["PATH"], BUILDX_CONFIG: join(root, "buildx") };
  context = makeContext("one");
});
afterEach(() => {
  fs.rmSync(root, { recursive: true, force: true });
});

/** A context with a file, a program, a link, a directory and things to ignore. */
function makeContext(name: string): string {
  const dir = join(root, name);
  fs.mkdirSync(join(dir, "src/deep"), { recursive: true });
  const write = (path: string, content: string) =>
    fs.writeFileSync(join(dir, path), content, { mode: 0o644 });
  write("Dockerfile", "FROM scratch\nCOPY . /\n");
  write(".dockerignore", "*.log\nskip\n!keep.log\n");
  write("src/a.js", "let a;\n");
  write("src/deep/run", "#!/bin/sh\n");
  write("keep.log", "kept\n");
  write("noise.log", "noise\n");
  fs.mkdirSync(join(dir, "skip"));
  write("skip/x", "x");
  fs.symlinkSync("src/a.js", join(dir, "link"));
  return dir;
}

const digest = async (options: Partial<PlanOptions> = {}) =>
  (await plan({ context, env, cacheDir: false, ...options })).inputDigest;

/** What a change of the context does to the digest. */
async function changes(change: () => void, options: Partial<PlanOptions> = {}): Promise<boolean> {
  const before = await digest(options);
  change();
  return (await digest(options)) !== before;
}

const inContext = (...names: string[]) => join(context, ...names);

describe("the input digest", () => {
  test("is the same in another place, at another time, made in another order", async () => {
    const first = await digest();
    const other = makeContext("two/elsewhere");
    for (const name of ["src/a.js", "src", "link", "Dockerfile"])
      fs.lutimesSync(join(other, name), new Date(1e12), new Date(1e12));
    expect(await digest({ context: other })).toBe(first);
    const cwd = process.cwd();
    process.chdir(other);
    try {
      expect(await digest({ context: "." })).toBe(first);
    } finally {
      process.chdir(cwd);
    }
  });

  test("is that of the same files from memory", async () => {
    const entries = {
      Dockerfile: "FROM scratch\nCOPY . /\n",
      "d/a": { content: "a", mode: 0o755 },
      l: { symlink: "d/a" },
    };
    const dir = join(root, "disk");
    fs.mkdirSync(join(dir, "d"), { recursive: true, mode: 0o755 });
    fs.writeFileSync(join(dir, "Dockerfile"), entries.Dockerfile);
    fs.writeFileSync(join(dir, "d/a"), "a", { mode: 0o755 });
    fs.symlinkSync("d/a", join(dir, "l"));
    for (const name of ["d", "d/a"]) fs.chmodSync(join(dir, name), 0o755);
    fs.chmodSync(join(dir, "Dockerfile"), 0o644);
    expect(await digest({ context: files(entries) })).toBe(await digest({ context: dir }));
  });

  test.each([
    ["a byte", () => fs.writeFileSync(inContext("src/a.js"), "let b;\n")],
    ["a mode", () => fs.chmodSync(inContext("src/deep/run"), 0o755)],
    ["a directory's mode", () => fs.chmodSync(inContext("src/deep"), 0o700)],
    ["a name", () => fs.renameSync(inContext("src/a.js"), inContext("src/b.js"))],
    ["where a file lies", () => fs.renameSync(inContext("src/a.js"), inContext("a.js"))],
    ["a link", () => (fs.unlinkSync(inContext("link")), fs.symlinkSync("src/b.js", inContext("link")))],
    [
      "a link into a file",
      () => (fs.unlinkSync(inContext("link")), fs.copyFileSync(inContext("src/a.js"), inContext("link"))),
    ],
    ["an empty directory", () => fs.mkdirSync(inContext("empty"))],
    ["a file taken in again", () => fs.writeFileSync(inContext("keep.log"), "other\n")],
    ["what is ignored", () => fs.appendFileSync(inContext(".dockerignore"), "src/deep\n")],
    ["the Dockerfile", () => fs.appendFileSync(inContext("Dockerfile"), "LABEL a=b\n")],
  ])("changes with %s", async (_, change) => {
    expect(await changes(change)).toBe(true);
  });

  test.each([
    ["times", () => fs.utimesSync(inContext("src/a.js"), new Date(1), new Date(2))],
    ["ignored files", () => fs.writeFileSync(inContext("noise.log"), "more noise\n")],
    ["an ignored directory", () => fs.rmSync(inContext("skip"), { recursive: true })],
    [
      "a file under two names becoming two",
      () => {
        fs.rmSync(inContext("src/deep/run"));
        fs.copyFileSync(inContext("src/hard"), inContext("src/deep/run"));
      },
    ],
  ])("does not change with %s", async (_, change) => {
    fs.linkSync(inContext("src/deep/run"), inContext("src/hard"));
    expect(await changes(change)).toBe(false);
  });

  test("goes by the ignore file of the Dockerfile before that of the context", async () => {
    fs.writeFileSync(inContext("other.Dockerfile"), "FROM scratch\n");
    fs.writeFileSync(inContext("other.Dockerfile.dockerignore"), "src\n");
    const file = inContext("other.Dockerfile");
    expect(await changes(() => fs.writeFileSync(inContext("src/a.js"), "x"), { file })).toBe(false);
    expect(await changes(() => fs.writeFileSync(inContext("noise.log"), "x"), { file })).toBe(true);
  });

  test("takes named contexts in, each with its own ignore file", async () => {
    const named = makeContext("named");
    const options = { buildContexts: { lib: named, img: "docker-image://busybox" } };
    expect(await changes(() => fs.writeFileSync(join(named, "src/a.js"), "x"), options)).toBe(true);
    expect(await changes(() => fs.writeFileSync(join(named, "noise.log"), "x"), options)).toBe(false);
    const before = await digest(options);
    expect(await digest({ buildContexts: { lib: named, img: "docker-image://alpine" } })).not.toBe(before);
  });

  test("changes with what the build is asked for, not with where its result goes", async () => {
    const base = await digest();
    const others: Partial<PlanOptions>[] = [
      { target: "x" },
      { buildArgs: { A: "1" } },
      { buildArgs: { A: "2" } },
      { labels: { a: "b" } },
      { platforms: ["linux/arm64"] },
      { secrets: { token: "one" } },
      { ssh: ["default=/nowhere"] },
      { network: "host" },
      { dockerfile: "FROM scratch\n" },
      { context: "https://example.com/a.git" },
      { context: "https://example.com/b.git" },
      { context: tar(Buffer.from("not really one")) },
    ];
    const digests = await Promise.all(others.map(digest));
    expect(new Set([base, ...digests]).size).toBe(others.length + 1);
    expect(await digest({ secrets: { token: "two" } })).toBe(digests[5]);
    for (const same of [
      { tags: ["a:1"] },
      { outputs: [{ type: "local" as const, dest: join(root, "out") }] },
      { cacheFrom: [{ type: "registry", attrs: { ref: "a" } }] },
      { env: { ...env, BUILDX_CONFIG: join(root, "elsewhere") } },
    ])
      expect(await digest(same)).toBe(base);
    expect(await digest({ context: tar(Buffer.from("not really one")) })).toBe(digests.at(-1));
  });

  test("leaves out proxies of this machine's docker config and the commit", async () => {
    const base = await digest();
    const proxies = { proxies: { default: { httpProxy: "http://proxy:3128" } } };
    fs.mkdirSync(join(root, ".docker"));
    fs.writeFileSync(join(root, ".docker/config.json"), JSON.stringify(proxies));
    const planned = await plan({ context, env, cacheDir: false });
    expect(planned.attrs["build-arg:HTTP_PROXY"]).toBe("http://proxy:3128");
    expect(planned.inputDigest).toBe(base);
    expect(await digest({ buildArgs: { HTTP_PROXY: "http://mine" } })).not.toBe(base);
  });

  test("says what is wrong", async () => {
    const stream = tar(fs.createReadStream("/dev/null"));
    await expect(digest({ context: stream })).rejects.toThrow("give the archive's bytes");
    await expect(digest({ context: join(root, "none") })).rejects.toThrow(/path ".*none" not found/);
    await expect(digest({ platforms: ["a/b/c/d"] })).rejects.toThrow("cannot parse platform");
    await expect(digest({ signal: AbortSignal.abort("enough") })).rejects.toMatchObject({ code: "ABORTED" });
  });
});

test("a plan is data, without secrets and with ids only", async () => {
  const planned = await plan({
    context,
    env,
    tags: ["app:1"],
    load: true,
    secrets: { token: "hunter2" },
    ssh: ["default", "deploy=/some/socket"],
    allow: ["network.host"],
    platforms: ["linux/amd64"],
  });
  expect(JSON.parse(JSON.stringify(planned))).toEqual(planned);
  expect(JSON.stringify(planned)).not.toContain("hunter2");
  expect(planned).toMatchObject({
    frontend: "dockerfile.v0",
    attrs: { filename: "Dockerfile", platform: "linux/amd64" },
    locals: { context: { path: context, entries: 8 }, dockerfile: { entries: 1 } },
    exports: [{ type: "docker", attrs: { name: "app:1" }, destination: { kind: "load" } }],
    secrets: ["token"],
    ssh: ["default", "deploy"],
    entitlements: ["network.host"],
    platforms: ["linux/amd64"],
  });
});

describe("remembered digests", () => {
  const cacheDir = () => join(root, "buildx/slipway/digests");
  const cached = () => plan({ context, env });
  /** Files get old enough to be trusted. */
  const settle = () => wait(120);

  test("a second call reads no file that looks as before, and sees each that does not", async () => {
    await settle();
    const first = await cached();
    const readsOf = async (call: () => Promise<unknown>) => {
      opened.mockClear();
      await call();
      // Their directories are held, so that only the names are the same.
      return opened.mock.calls
        .map(([path]) => basename(String(path)))
        .filter((name) => /^(a\.js|run)$/.test(name));
    };
    expect(await readsOf(digest)).toEqual(["a.js", "run"]);
    expect(await readsOf(cached)).toEqual([]);
    fs.writeFileSync(inContext("src/a.js"), "let c;\n");
    expect((await cached()).inputDigest).not.toBe(first.inputDigest);
    fs.writeFileSync(inContext("src/a.js"), "let a;\n");
    expect((await cached()).inputDigest).toBe(first.inputDigest);
  });

  test("a change in the same instant is not missed: what was just written is not remembered", async () => {
    for (let round = 0; round < 20; round++) {
      fs.writeFileSync(inContext("src/a.js"), `let ${round % 10};\n`);
      expect((await cached()).inputDigest).toBe(await digest());
    }
  });

  test("a broken, foreign or unwritable cache is no cache", async () => {
    await settle();
    const { inputDigest } = await cached();
    const [name = ""] = fs.readdirSync(cacheDir());
    const path = join(cacheDir(), name);
    expect(fs.statSync(path).mode & 0o777).toBe(0o600);
    const content = fs.readFileSync(path);
    for (const broken of [
      "",
      "x".repeat(100),
      content.subarray(0, -40),
      Buffer.concat([content.subarray(0, 60), Buffer.from("!"), content.subarray(61)]),
    ]) {
      fs.writeFileSync(path, broken);
      expect((await cached()).inputDigest).toBe(inputDigest);
      expect(fs.readFileSync(path).length).toBe(content.length);
    }
    fs.rmSync(cacheDir(), { recursive: true });
    fs.writeFileSync(cacheDir(), "a file");
    expect((await cached()).inputDigest).toBe(inputDigest);
  });

  test("writers side by side leave one whole file, and few trees are remembered", async () => {
    await settle();
    const digests = await Promise.all(Array.from({ length: 16 }, cached));
    expect(new Set(digests.map(({ inputDigest }) => inputDigest)).size).toBe(1);
    expect(fs.readdirSync(cacheDir())).toHaveLength(1);
    for (let index = 0; index < 40; index++) fs.writeFileSync(join(cacheDir(), `old${index}`), "");
    fs.writeFileSync(inContext("src/new"), "new");
    await settle();
    await cached();
    expect(fs.readdirSync(cacheDir()).length).toBeLessThanOrEqual(32);
  });
});
