import { execFileSync, spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asOtherUser } from "../../test/support/other-user.js";
import { readBounded, readIfThere, readStreamBounded } from "./read-file.js";

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-read-"));
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe("reading a file with a limit", () => {
  it("gives what is there, also of files without a size", async () => {
    await writeFile(join(dir, "a"), "12345");
    expect(await readBounded(join(dir, "a"), { limit: 5 })).toEqual(Buffer.from("12345"));
    await writeFile(join(dir, "empty"), "");
    expect(await readBounded(join(dir, "empty"), { limit: 0 })).toHaveLength(0);
    expect((await readBounded("/proc/self/status", { limit: 1 << 20 })).toString()).toContain("Name:");
  });

  it("stops at the limit, whatever size is stated", async () => {
    await writeFile(join(dir, "a"), "123456");
    const path = join(dir, "a");
    await expect(readBounded(path, { limit: 5 })).rejects.toMatchObject({
      code: "FS_READ",
      errno: "EFBIG",
      message: `cannot read ${path}: it is larger than 5 bytes, the most that is read`,
    });
    await expect(readBounded("/proc/self/status", { limit: 10 })).rejects.toMatchObject({ errno: "EFBIG" });
    await symlink("/dev/zero", join(dir, "zero"));
    const before = process.memoryUsage.rss();
    const zero = readBounded(join(dir, "zero"), { limit: 16 << 20, special: "read" });
    await expect(zero).rejects.toMatchObject({ errno: "EFBIG", path: join(dir, "zero") });
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 << 20);
  });

  it("names what cannot be read", async () => {
    await mkdir(join(dir, "d"));
    await symlink("d/nowhere", join(dir, "dangling"));
    await symlink("loop", join(dir, "loop"));
    const server = createServer().listen(join(dir, "s"));
    const reasonOf = (name: string) =>
      readBounded(join(dir, name), { limit: 1 }).then(
        () => "read",
        (error: { reason: string }) => error.reason,
      );
    expect(await reasonOf("d")).toBe("it is a directory");
    expect(await reasonOf("dangling")).toBe("no such file or directory");
    expect(await reasonOf("loop")).toBe("too many levels of symbolic links");
    expect(await reasonOf("s")).toMatch("it is a socket");
    await expect(readBounded("/dev/zero", { limit: 1 })).rejects.toMatchObject({
      message: "cannot read /dev/zero: it is a device, not a regular file",
    });
    server.close();
    expect(await readIfThere(join(dir, "none"), { limit: 1 })).toBeUndefined();
    await writeFile(join(dir, "f"), "");
    expect(await readIfThere(join(dir, "f/below"), { limit: 1 })).toBeUndefined();
  });

  it("names a file without permission", async () => {
    await writeFile(join(dir, "f"), "");
    await chmod(join(dir, "f"), 0);
    await asOtherUser([dir], async () => {
      await expect(readBounded(join(dir, "f"), { limit: 1 })).rejects.toMatchObject({
        reason: "permission denied",
      });
    });
  });

  it("a pipe is read when it may be, and its writer waited for until the signal", async () => {
    const path = join(dir, "pipe");
    execFileSync("mkfifo", [path]);
    await expect(readBounded(path, { limit: 9 })).rejects.toMatchObject({ reason: /named pipe/ });

    const signal = AbortSignal.timeout(100);
    await expect(readBounded(path, { limit: 9, special: "read", signal })).rejects.toMatchObject({
      code: "ABORTED",
    });

    let pipes = 0;
    const reading = readBounded(path, { limit: 9, special: "read", onPipe: () => pipes++ });
    spawn("sh", ["-c", `exec >"$0"; printf 1234; sleep 0.05; printf 56789`, path]);
    expect((await reading).toString()).toBe("123456789");
    expect(pipes).toBe(1);

    const long = readBounded(path, { limit: 9, special: "read" });
    spawn("sh", ["-c", `printf 1234567890 >"$0"`, path]);
    await expect(long).rejects.toMatchObject({ errno: "EFBIG" });
  });

  it("a stream is read up to the limit", async () => {
    async function* chunks() {
      for (;;) yield Buffer.alloc(1000);
    }
    await expect(readStreamBounded(chunks(), "standard input", 10_000)).rejects.toMatchObject({
      message: "cannot read standard input: it is larger than 10000 bytes, the most that is read",
    });
  });
});
