import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterEach, beforeAll, beforeEach, afterAll, expect, test } from "vitest";
import { LeasedDirectory } from "./leased-directory.js";

let base: string;
let dir: string;
let library: string;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "slipway-leases-"));
  library = join(base, "leases.mjs");
  const entry = fileURLToPath(new URL("leased-directory.ts", import.meta.url));
  await build({
    entryPoints: [entry],
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    outfile: library,
    logLevel: "error",
  });
});
afterAll(() => rm(base, { recursive: true, force: true }));
beforeEach(async () => void (dir = await mkdtemp(join(base, "dir-"))));
afterEach(() => rm(dir, { recursive: true, force: true }));

const maker = {
  isWhole: (path: string) =>
    readFile(join(path, "b")).then(
      () => true,
      () => false,
    ),
  make: async (path: string) => {
    await writeFile(join(path, "a"), "a");
    await writeFile(join(path, "b"), "b");
  },
};
const entries = async () => (await readdir(dir)).filter((name) => !name.startsWith(".")).sort();
const rest = async () => (await readdir(dir)).filter((name) => name.startsWith(".") && name !== ".lock");

/** Another process with the same directory, which runs `script` and is `ready` when it says so. */
async function other(script: string): Promise<ChildProcess> {
  const program = `
    import { writeFile, readFile } from "node:fs/promises"; import { join } from "node:path";
    const { LeasedDirectory } = await import(${JSON.stringify(library)});
    const maker = { isWhole: (p) => readFile(join(p, "b")).then(() => true, () => false),
      make: async (p) => { await writeFile(join(p, "a"), "a"); await writeFile(join(p, "b"), "b"); } };
    const leases = new LeasedDirectory(${JSON.stringify(dir)}, { most: 1 });
    ${script}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

test("no entry in use is removed, however many there are; of the others the newest stay", async () => {
  const leased = new LeasedDirectory(dir, { most: 2 });
  const leases = [];
  for (const name of ["a", "b", "c", "d"]) {
    leases.push(await leased.take(name, maker));
    const time = new Date(Date.now() - 100_000 + leases.length * 1000);
    await utimes(join(dir, name), time, time);
  }
  expect(await entries()).toEqual(["a", "b", "c", "d"]);
  const [a, ...others] = leases;
  for (const lease of others) await lease.close();
  expect(await entries()).toEqual(["a", "c", "d"]);
  await a?.close();
  await a?.close();
  expect(await entries()).toEqual(["c", "d"]);
  expect(await rest()).toEqual([]);
});

test("an entry with two leases stays until the second is given up", async () => {
  const leased = new LeasedDirectory(dir, { most: 0 });
  const [one, two] = await Promise.all([leased.take("a", maker), leased.take("a", maker)]);
  await one.close();
  expect(await entries()).toEqual(["a"]);
  await two.close();
  expect(await entries()).toEqual([]);
});

test("one that cannot be made leaves nothing, and one that is not whole is made again", async () => {
  const leased = new LeasedDirectory(dir, { most: 2 });
  const make = async (path: string) => {
    await writeFile(join(path, "a"), "");
    throw new Error("the disk is full");
  };
  await expect(leased.take("a", { ...maker, make })).rejects.toThrow("the disk is full");
  expect([await entries(), await rest()]).toEqual([[], []]);
  await mkdir(join(dir, "a"));
  await writeFile(join(dir, "a/a"), "half");
  await using lease = await leased.take("a", maker);
  expect(await readFile(join(lease.path, "a"), "utf8")).toBe("a");
});

test("a process killed between rename and deletion spoils nothing, and the rest goes with the next trim", async () => {
  const child = await other(`
    import fsp from "node:fs/promises"; import { syncBuiltinESMExports } from "node:module";
    const first = await leases.take("old", maker); await first.close();
    const second = await leases.take("new", maker);
    fsp.rm = (path, ...rest) => { if (String(path).includes(".removing-")) process.kill(process.pid, "SIGKILL"); return Promise.resolve(); };
    syncBuiltinESMExports();
    await second.close(); console.log("not killed");`);
  if (child.signalCode === null) await once(child, "exit");
  expect(child.signalCode).toBe("SIGKILL");
  expect(await entries()).toEqual(["new"]);
  expect((await rest()).map((name) => name.slice(0, 10))).toEqual([".removing-"]);
  const lease = await new LeasedDirectory(dir, { most: 2 }).take("old", maker);
  expect(await maker.isWhole(lease.path)).toBe(true);
  await lease.close();
  expect([await entries(), await rest()]).toEqual([["new", "old"], []]);
});

test("leases hold across processes, and end with theirs", async () => {
  const child = await other(
    `await leases.take("theirs", maker); console.log("ready"); process.stdin.resume();`,
  );
  try {
    const leased = new LeasedDirectory(dir, { most: 0 });
    await (await leased.take("ours", maker)).close();
    expect(await entries()).toEqual(["theirs"]);
    await end(child);
    await (await leased.take("ours", maker)).close();
    expect([await entries(), await rest()]).toEqual([[], []]);
  } finally {
    await end(child);
  }
});

test("what a process killed while making left is removed, and what one makes now is not", async () => {
  const hang = `await leases.take("theirs", { ...maker, make: async (p) => { await writeFile(join(p, "a"), "a"); console.log("ready"); process.stdin.resume(); await new Promise(() => {}); } });`;
  const child = await other(hang);
  try {
    const leased = new LeasedDirectory(dir, { most: 1 });
    await (await leased.take("ours", maker)).close();
    expect(await rest()).toHaveLength(2);
    await end(child);
    await (await leased.take("ours", maker)).close();
    expect([await entries(), await rest()]).toEqual([["ours"], []]);
  } finally {
    await end(child);
  }
});

test("SEC-70 a directory that others can write to is refused, with nothing made in it", async () => {
  const inner = join(dir, "images");
  for (const shared of [dir, inner]) {
    await mkdir(inner, { recursive: true });
    await chmod(shared, 0o777);
    const make = () => Promise.reject(new Error("made"));
    const taken = new LeasedDirectory(inner, { most: 2 }).take("a", { isWhole: async () => true, make });
    await expect(taken).rejects.toMatchObject({
      code: "FS_SHARED",
      message: expect.stringContaining(`${shared} is not used`),
    });
    expect(await readdir(inner)).toEqual([]);
    await chmod(shared, 0o700);
  }
});
