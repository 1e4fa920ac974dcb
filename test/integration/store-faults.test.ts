import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { engineEnv } from "../support/engine-env.js";
import { freePort } from "../support/ssh-server.js";
import { mostMebibytes } from "../support/slipway.js";
import { Workplace } from "../support/workplace.js";

/** The builder store, by commands of several processes: broken files, locks, rights, and what is left on disk. */
const { long } = engineEnv();
let place: Workplace;

beforeAll(async () => {
  place = await Workplace.open("store");
});

afterAll(() => place.close());

const instance = (name: string) => place.path("buildx", "instances", name);

it.each(["", '{"Name": 5}', ...(long ? ["{", "null", "[]", "\0\0\0\0"] : [])])(
  "STO-1 a builder's file with %j in it breaks this one only, and rm and create repair it",
  async (content) => {
    const broken = `${place.id}-broken`;
    const sound = await place.builder("sound");
    await writeFile(instance(broken), content);
    const { stdout } = await place.succeed(["ls"]);
    expect(stdout).toMatch(new RegExp(`^${sound}\\b`, "m"));
    expect(stdout).toMatch(new RegExp(`^${broken}\\b.*error`, "m"));
    expect((await place.run(["inspect", broken])).exitCode).toBe(1);
    await place.succeed(["inspect", sound]);
    await place.succeed(["rm", broken]);
    await writeFile(instance(broken), content);
    await place.succeed(["create", "--name", broken]);
    await place.succeed(["inspect", broken]);
    await place.succeed(["rm", broken, sound]);
  },
);

it("STO-2 STO-3 a broken choice, stray files and directories are no trouble", async () => {
  const sound = await place.builder("sound", "--use");
  await writeFile(place.path("buildx", "current"), "{");
  await writeFile(place.path("buildx", "activity", sound), "yesterday").catch(() => {});
  await writeFile(instance(".tmp-something123"), "{");
  await mkdir(instance("directory"));
  const { stdout } = await place.succeed(["ls"]);
  expect(stdout).toMatch(new RegExp(`^${sound}\\b`, "m"));
  await place.succeed(["use", sound]);
  expect((await place.succeed(["ls"])).stdout).toContain(`${sound}*`);
  await place.succeed(["rm", sound]);
});

it("STO-12 twenty processes create, use and remove builders, and nobody's is lost", async () => {
  const names = Array.from({ length: long ? 100 : 20 }, (_, index) => `${place.id}-many-${index}`);
  const running = { done: false };
  const broken: string[] = [];
  const sampling = (async () => {
    while (!running.done) {
      for (const name of await readdir(place.path("buildx", "instances"))) {
        if (name.startsWith(".") || name === "directory") continue;
        const text = await readFile(instance(name), "utf8").catch(() => "{}");
        try {
          JSON.parse(text);
        } catch {
          broken.push(`${name}: ${text}`);
        }
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await Promise.all(
    names.map(async (name, index) => {
      await place.succeed(["create", "--name", name, "--use"]);
      if (index % 2 === 0) await place.succeed(["rm", name]);
    }),
  );
  running.done = true;
  await sampling;
  expect(broken).toEqual([]);
  const kept = names.filter((_, index) => index % 2 === 1);
  const found = (await readdir(place.path("buildx", "instances"))).filter((name) => name.includes("-many-"));
  expect(found.sort((a, b) => a.localeCompare(b))).toEqual(kept.sort((a, b) => a.localeCompare(b)));
  await place.succeed(["rm", ...kept]);
});

it("MEM-13 many builders and many remembered builds are listed", async () => {
  const [builders, refs] = long ? [1_000, 100_000] : [100, 2_000];
  const first = await place.builder("first");
  const stored = await readFile(instance(first), "utf8");
  const names = Array.from({ length: builders }, (_, index) => `${place.id}-listed-${index}`);
  for (const name of names) await writeFile(instance(name), stored.replaceAll(first, name));
  const [some = ""] = names;
  const remembered = place.path("buildx", "refs", some, `${some}0`);
  await mkdir(remembered, { recursive: true });
  for (let index = 0; index < refs; index++) await writeFile(path.join(remembered, `ref${index}`), "{}");
  const { stdout, stderr, peakMebibytes } = await place.succeed(["ls"]);
  expect(stderr).toBe("");
  expect(stdout.match(/ \\_ \S+-listed-\d+0 .*inactive/g)).toHaveLength(builders);
  expect(peakMebibytes).toBeLessThan(mostMebibytes);
  await Promise.all(names.map((name) => rm(instance(name))));
  await rm(place.path("buildx", "refs", some), { recursive: true });
  await place.succeed(["rm", first]);
});

it("STO-10 a command that waits for the store says for whom", async () => {
  await place.succeed(["create", "--name", `${place.id}-lock`]);
  const holder = spawn("flock", ["-x", place.path("buildx", ".lock"), "sh", "-c", "echo locked; cat"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  const waiting = place.start(["rm", `${place.id}-lock`]);
  await waiting.said(/waiting for lock .*\.lock held by .*\d/);
  holder.stdin.end();
  const { exitCode, stderr } = await waiting.result;
  expect(exitCode, stderr).toBe(0);
});

it.skipIf(process.getuid?.() !== 0)(
  "STO-14 a config directory that cannot be written can be read",
  async () => {
    const sound = await place.builder("sound", "--use");
    const env = { BUILDX_CONFIG: place.path("buildx"), DOCKER_HOST: "unix:///nowhere/engine.sock" };
    const other = { uid: 12_345, gid: 12_345, env };
    await chmod(place.dir, 0o755);
    await setModes(place.path("buildx"), 0o755, 0o644);
    expect((await place.succeed(["ls"], other)).stdout).toContain(sound);
    const { exitCode, stderr } = await place.run(["create", "--name", `${place.id}-no`], other);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(place.path("buildx"));
    expect(stderr).toMatch(/permission denied|EACCES/i);
    await setModes(place.path("buildx"), 0o700, 0o600);
    await place.succeed(["rm", sound]);
  },
);

it("STO-16 fields of a later version survive a change", async () => {
  const name = await place.builder("later");
  const stored = JSON.parse(await readFile(instance(name), "utf8")) as Record<string, unknown>;
  await writeFile(instance(name), JSON.stringify({ ...stored, Later: { kept: true } }));
  await place.succeed(["create", "--name", name, "--node", `${name}0`, "--platform", "linux/arm64"]);
  expect(JSON.parse(await readFile(instance(name), "utf8"))).toMatchObject({ Later: { kept: true } });
  await place.succeed(["rm", name]);
});

it("STO-19 a builder whose engine is down is removed from the store, and what could not be is told", async () => {
  const host = `tcp://127.0.0.1:${await freePort()}`;
  const name = await place.builder("down");
  const stored = await readFile(instance(name), "utf8");
  await writeFile(instance(name), stored.replace(/"Endpoint":\s*"[^"]*"/, `"Endpoint":"${host}"`));
  const { exitCode, stderr } = await place.run(["rm", name]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(host);
  expect((await place.succeed(["ls"])).stdout).not.toContain(name);
});

it("STO-8 a removal while a builder boots leaves no container without its entry", async () => {
  for (const pause of long ? [/booting/, /creating/, /DONE/] : [/creating container/]) {
    const name = await place.builder("torn", "--driver-opt", "network=host");
    // Still at it when the removal comes, however late.
    const dir = await place.context({ Dockerfile: "FROM busybox\nRUN sleep 60\n" });
    const building = place.start(["build", "--builder", name, "--no-cache", "--progress", "plain", dir]);
    await building.said(pause);
    await place.run(["rm", "--force", name]);
    const { exitCode, stderr } = await building.result;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^ERROR: .*(was removed|builder container)/m);
    // Whoever came last has won; a second removal then finds nothing, or what the build made.
    await place.run(["rm", "--force", name]);
    const isThere = await place.engine.containers.inspect(place.container(name)).then(
      () => true,
      () => false,
    );
    expect(isThere).toBe(false);
  }
});

it("SEC-60 files of the store are its owner's alone, whatever the umask", async () => {
  const config = place.path("modes");
  const name = `${place.id}-modes`;
  await umasked(0o000, ["create", "--name", name, "--driver-opt", "network=host", "--use"], config);
  const dir = await place.context({ Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" });
  await umasked(0o000, ["build", "--builder", name, dir], config);
  for (const entry of await readdir(config, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const { mode } = await stat(file);
    expect((mode & 0o777).toString(8), file).toBe(entry.isDirectory() ? "700" : "600");
  }
  expect((await stat(config)).mode & 0o777).toBe(0o700);
  await place.succeed(["rm", name], { env: { BUILDX_CONFIG: config } });
});

it("SEC-61 result files honour the umask", async () => {
  const config = place.path("umask");
  const name = `${place.id}-umask`;
  await umasked(0o077, ["create", "--name", name, "--driver-opt", "network=host"], config);
  const dir = await place.context({ Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" });
  for (const [mask, mode] of [
    [0o077, 0o600],
    [0o022, 0o644],
  ] as const) {
    const files = ["metadata", "iid", "out.tar"].map((file) => place.path(`${file}-${mask}`));
    const [metadata = "", iid = "", tar = ""] = files;
    await umasked(
      mask,
      ["build", "--builder", name, "--metadata-file", metadata, "--iidfile", iid, dir],
      config,
    );
    await umasked(mask, ["build", "--builder", name, "-o", `type=tar,dest=${tar}`, dir], config);
    for (const file of files)
      expect(((await stat(file)).mode & 0o777).toString(8), file).toBe(mode.toString(8));
  }
  await place.succeed(["rm", name], { env: { BUILDX_CONFIG: config } });
});

it("SEC-62 nothing is left in the directory for temporary files, after a build from stdin and after an interrupt", async () => {
  const temporary = place.path("temporary");
  await mkdir(temporary);
  const env = { TMPDIR: temporary, XDG_CACHE_HOME: place.path("cache") };
  const name = await place.builder("temporary", "--driver-opt", "network=host");
  const dir = await place.context({ f: "f" });
  const flags = ["build", "--builder", name, "--progress", "plain", "-f", "-", dir];
  await place.succeed(flags, { env, input: "FROM scratch\nCOPY f /\n" });
  const running = place.start(flags, { env, input: "FROM busybox\nRUN echo begun && sleep 61616\n" });
  await running.said(/ begun$/m);
  running.child.kill("SIGINT");
  expect((await running.result).exitCode).toBe(130);
  expect(await readdir(temporary)).toEqual([]);
  await place.succeed(["rm", name]);
});

/** Gives a directory and all directories and files in it these modes. */
async function setModes(dir: string, directories: number, files: number): Promise<void> {
  await chmod(dir, directories);
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true }))
    await chmod(path.join(entry.parentPath, entry.name), entry.isDirectory() ? directories : files);
}

/** Runs a command that is expected to succeed, with this umask and builder store. */
async function umasked(mask: number, args: string[], config: string): Promise<void> {
  const before = process.umask(mask);
  const started = place.start(args, { env: { BUILDX_CONFIG: config } });
  process.umask(before);
  const { exitCode, stderr } = await started.result;
  expect(exitCode, stderr).toBe(0);
}
