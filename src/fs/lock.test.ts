import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { hostname, tmpdir, uptime } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LockError, lockFile } from "./lock.js";

let dir: string;
let path: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), "slipway-lock-"));
  path = join(dir, ".lock");
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  fs.rmSync(dir, { recursive: true, force: true });
});

/** A process that holds the flock until it is killed, as a Go program would. */
async function holder(): Promise<ChildProcess> {
  const child = spawn("flock", ["-x", path, "sh", "-c", "echo locked; exec cat"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.push(child);
  await once(child.stdout, "data");
  return child;
}

describe("lockFile with flock(1)", () => {
  test("locks exclude each other and are given free by close", async () => {
    const first = await lockFile(path);
    expect(first.kind).toBe("flock");
    const order: string[] = [];
    const second = lockFile(path).then((lock) => {
      order.push("second");
      return lock;
    });
    order.push("first closes");
    await first.close();
    await first.close();
    await (await second).close();
    expect(order).toEqual(["first closes", "second"]);
  });

  test("STO-10 a lock held by another process is waited for, named, and given up", async () => {
    await holder();
    const waits: (number | undefined)[] = [];
    const caught = await lockFile(path, {
      patience: 1,
      timeout: 300,
      onWait: ({ pid }) => waits.push(pid),
    }).catch((error: unknown) => error);
    expect(caught).toBeInstanceOf(LockError);
    const { pid } = caught as LockError;
    expect(waits).toEqual([pid]);
    expect(fs.existsSync(`/proc/${pid}`)).toBe(true);
  });

  test("STO-11 the death of the holder gives the lock free", async () => {
    const child = await holder();
    const taken = lockFile(path);
    child.stdin?.end();
    await using lock = await taken;
    expect(lock.kind).toBe("flock");
  });

  test("waiting can be aborted", async () => {
    await using _held = await lockFile(path);
    const controller = new AbortController();
    const waiting = lockFile(path, { signal: controller.signal });
    controller.abort("enough");
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED", cause: "enough" });
  });
});

describe("STO-11 lockFile where there is no flock program", () => {
  const program = "no-such-flock-program";

  test("a file beside it names the owner, and excludes", async () => {
    const first = await lockFile(path, { program });
    expect(first.kind).toBe("owner");
    expect(JSON.parse(fs.readFileSync(`${path}.owner`, "utf8"))).toMatchObject({ pid: process.pid });
    await expect(lockFile(path, { program, timeout: 200 })).rejects.toBeInstanceOf(LockError);
    await first.close();
    await (await lockFile(path, { program })).close();
    expect(fs.readdirSync(dir)).toEqual([".lock"]);
  });

  test("a dead owner's lock is taken over by exactly one", async () => {
    const held = await lockFile(path, { program });
    const owner = JSON.parse(fs.readFileSync(`${path}.owner`, "utf8")) as { started: string; nonce: string };
    // The same process id, started at another time: what a reused pid looks like.
    fs.writeFileSync(`${path}.owner`, JSON.stringify({ ...owner, started: "1", nonce: "dead" }));
    // And one who died while taking over.
    fs.writeFileSync(`${path}.owner.dead`, JSON.stringify({ ...owner, started: "2", nonce: "dead-too" }));
    let inside = 0;
    let most = 0;
    const enter = async () => {
      await using _lock = await lockFile(path, { program });
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
    };
    await Promise.all(Array.from({ length: 6 }, enter));
    expect(most).toBe(1);
    await held.close();
    expect(fs.readdirSync(dir)).toEqual([".lock"]);
  });

  test("an owner on another machine of the same name keeps its lock; one from before this machine's start does not", async () => {
    await (await lockFile(path, { program })).close();
    const owner = { pid: 1, host: hostname(), bootId: "another", started: "1", nonce: "x" };
    fs.writeFileSync(`${path}.owner`, JSON.stringify(owner));
    await expect(lockFile(path, { program, timeout: 150 })).rejects.toBeInstanceOf(LockError);
    const before = new Date(Date.now() - uptime() * 1000 - 60_000);
    fs.utimesSync(`${path}.owner`, before, before);
    fs.writeFileSync(`${path}.owner`, JSON.stringify({ ...owner, machineId: "another" }));
    fs.utimesSync(`${path}.owner`, before, before);
    await expect(lockFile(path, { program, timeout: 150 })).rejects.toBeInstanceOf(LockError);
    fs.writeFileSync(`${path}.owner`, JSON.stringify(owner));
    fs.utimesSync(`${path}.owner`, before, before);
    await (await lockFile(path, { program })).close();
  });
});
