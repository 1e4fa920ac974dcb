import { execFileSync, spawn } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import {
  lstat,
  mkdir,
  mkdtemp,
  open,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openOutputFile } from "./output-file.js";

let dir: string;
let umask: number;
beforeEach(async () => {
  umask = process.umask();
  dir = await mkdtemp(join(tmpdir(), "slipway-file-"));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function put(path: string, ...chunks: string[]): Promise<void> {
  const file = await openOutputFile(path);
  for (const chunk of chunks) file.write(chunk);
  file.end();
  await finished(file);
}

describe("SEC-63 an output file", () => {
  it("appears under its name when it is complete, with the mode that the umask leaves", async () => {
    const path = join(dir, "a/b/out.tar");
    const file = await openOutputFile(path);
    const parent = join(dir, "a/b");
    expect((await stat(parent)).mode & 0o777).toBe(0o755 & ~umask);
    file.write("one");
    const [part] = await readdir(parent);
    expect(part).toMatch(/^\.out\.tar\.[0-9a-f]{12}\.part$/);
    expect((await stat(join(parent, part as string))).mode & 0o777).toBe(0o600);
    file.end("two");
    await finished(file);
    expect(await readdir(parent)).toEqual(["out.tar"]);
    expect(await readFile(path, "utf8")).toBe("onetwo");
    expect((await stat(path)).mode & 0o777).toBe(0o666 & ~umask);
  });

  it("FLT-8 leaves the file that was there when it is destroyed, and no other", async () => {
    const path = join(dir, "out");
    await writeFile(path, "before");
    const file = await openOutputFile(path);
    file.on("error", () => {});
    file.write("x".repeat(100_000));
    file.destroy(new Error("the daemon died"));
    await expect(finished(file)).rejects.toThrow("the daemon died");
    await new Promise<void>((resolve) => (file.closed ? resolve() : file.once("close", resolve)));
    expect(await readFile(path, "utf8")).toBe("before");
    expect(await readdir(dir)).toEqual(["out"]);
  });

  it("keeps the mode of a file it replaces", async () => {
    const path = join(dir, "out");
    await writeFile(path, "before", { mode: 0o640 });
    await put(path, "after");
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    expect(await readFile(path, "utf8")).toBe("after");
  });

  it("FLT-96 follows a symbolic link to a regular file once, and none that leads nowhere", async () => {
    await mkdir(join(dir, "real"));
    await writeFile(join(dir, "real/file"), "before");
    await symlink("real/file", join(dir, "link"));
    await put(join(dir, "link"), "after");
    expect((await lstat(join(dir, "link"))).isSymbolicLink()).toBe(true);
    expect(await readFile(join(dir, "real/file"), "utf8")).toBe("after");
    await symlink("nowhere", join(dir, "dangling"));
    await expect(openOutputFile(join(dir, "dangling"))).rejects.toThrow(/leads nowhere/);
  });

  it("writes to named pipes, devices and descriptors directly", async () => {
    const pipe = join(dir, "pipe");
    execFileSync("mkfifo", [pipe]);
    const [, text] = await Promise.all([put(pipe, "through"), readFile(pipe, "utf8")]);
    expect(text).toBe("through");
    await put("/dev/null", "gone");
    await using file = await open(join(dir, "fd"), "w+");
    await put(`/dev/fd/${file.fd}`, "by descriptor");
    expect(await readFile(join(dir, "fd"), "utf8")).toBe("by descriptor");
    expect((await readdir(dir)).sort()).toEqual(["fd", "pipe"]);
  });

  it("FLT-34 a fifo that nobody reads is waited for until the signal", async () => {
    const pipe = join(dir, "silent");
    execFileSync("mkfifo", [pipe]);
    const controller = new AbortController();
    const opening = openOutputFile(pipe, { signal: controller.signal });
    controller.abort(new Error("not wanted"));
    await expect(opening).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("a fifo whose reader leaves fails by name", async () => {
    const pipe = join(dir, "left");
    execFileSync("mkfifo", [pipe]);
    spawn("head", ["-c", "1", pipe], { stdio: "ignore" });
    const file = await openOutputFile(pipe);
    file.on("error", () => {});
    const failed = new Promise<Error>((resolve) => file.once("error", resolve));
    const flood = () => {
      while (!file.destroyed && file.write(Buffer.alloc(65_536)));
      if (!file.destroyed) file.once("drain", flood);
    };
    flood();
    expect((await failed).message).toBe(`cannot write ${pipe}: broken pipe`);
  });

  it.skipIf(process.platform !== "linux")("a link to a descriptor is what is open there", async () => {
    const pipe = join(dir, "pipe");
    execFileSync("mkfifo", [pipe]);
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(pipe, constants.O_WRONLY);
    await rm(pipe); // as an unnamed one
    await symlink(`/proc/self/fd/${writer}`, join(dir, "out"));
    await symlink("out", join(dir, "again"));
    await put(join(dir, "again"), "shown");
    expect(readSync(reader, Buffer.alloc(9))).toBe(5);
    closeSync(reader);
    await expect(openOutputFile(join(dir, "out"))).rejects.toThrow(
      `cannot write ${dir}/out: nobody reads it`,
    );
    closeSync(writer);

    const file = await open(join(dir, "shell"), "w");
    await file.write("before ");
    await symlink(`/dev/fd/${file.fd}`, join(dir, "redirected"));
    await put(join(dir, "redirected"), "after");
    expect(await readFile(join(dir, "shell"), "utf8")).toBe("before after");
    await file.close();
  });

  it("refuses directories and sockets", async () => {
    await expect(openOutputFile(dir)).rejects.toThrow(`cannot write ${dir}: it is a directory`);
    const path = join(dir, "socket");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await expect(openOutputFile(path)).rejects.toThrow(/is a socket/);
    await new Promise((resolve) => server.close(resolve));
  });

  it("takes names of any length that a file may have", async () => {
    const path = join(dir, "ü".repeat(127));
    await put(path, "x");
    expect(await readdir(dir)).toEqual(["ü".repeat(127)]);
  });

  it.skipIf(process.platform !== "linux")("FLT-37 FLT-90 a full disk is an error with the path", async () => {
    await expect(put("/dev/full", "x".repeat(100_000))).rejects.toMatchObject({
      code: "FS_WRITE",
      path: "/dev/full",
      errno: "ENOSPC",
      message: "cannot write /dev/full: no space left on device",
    });
  });
});
