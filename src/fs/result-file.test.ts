import { execFileSync } from "node:child_process";
import { lstat, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { prepareResultFile } from "./result-file.js";

let dir: string;
const at = (name: string) => join(dir, name);
const whyNot = (path: string) =>
  prepareResultFile(path).then(
    () => "right",
    (error: { code: string; message: string }) => `${error.code}: ${error.message.replaceAll(dir, "")}`,
  );

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-result-"));
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe("SEC-63 SEC-61 a result file", () => {
  it("is checked without a trace, and written in one piece as the umask says", async () => {
    const file = await prepareResultFile(at("m.json"));
    expect(await readdir(dir)).toEqual([]);
    await file.write("{}");
    expect(await readdir(dir)).toEqual(["m.json"]);
    expect((await stat(at("m.json"))).mode & 0o777).toBe(0o666 & ~process.umask());
    await writeFile(at("private"), "old", { mode: 0o600 });
    await (await prepareResultFile(at("private"))).write(Readable.from(["a", "b"]));
    expect(await readFile(at("private"), "utf8")).toBe("ab");
    expect((await stat(at("private"))).mode & 0o777).toBe(0o600);
  });

  it("what is there already is not replaced by something else", async () => {
    execFileSync("mkfifo", [at("pipe")]);
    const pipe = await prepareResultFile(at("pipe"));
    await pipe.discard();
    const got = createReadStream(at("pipe"));
    await pipe.write("result");
    expect((await got.toArray()).join("")).toBe("result");
    expect((await lstat(at("pipe"))).isFIFO()).toBe(true);

    await writeFile(at("target"), "old");
    await symlink("target", at("link"));
    const link = await prepareResultFile(at("link"));
    await link.discard();
    expect(await readdir(dir)).not.toContain("target");
    await link.write("new");
    expect((await lstat(at("link"))).isSymbolicLink()).toBe(true);
    expect(await readFile(at("target"), "utf8")).toBe("new");

    const nothing = await prepareResultFile("/dev/null");
    await nothing.discard();
    await nothing.write("gone");
    expect((await lstat("/dev/null")).isCharacterDevice()).toBe(true);
  });

  it("what cannot be written is told before the work, by name", async () => {
    await mkdir(at("d"));
    await symlink("nowhere/x", at("dangling"));
    await writeFile(at("f"), "");
    expect(await whyNot(at("d"))).toBe("FS_WRITE: cannot write /d: it is a directory");
    expect(await whyNot(at("none/m"))).toBe("FS_WRITE: cannot write /none/m: there is no directory /none");
    expect(await whyNot(at("f/m"))).toBe("FS_WRITE: cannot write /f/m: not a directory");
    expect(await whyNot(at("dangling"))).toBe(
      "FS_WRITE: cannot write /dangling: the symbolic link leads nowhere",
    );
    expect(await whyNot("/proc/m")).toBe("FS_WRITE: cannot write /proc/m: there is no directory /proc");
    expect(await readdir(dir)).toHaveLength(3);
  });

  it("a full disk is named, before and after", async () => {
    const full = await prepareResultFile("/dev/full");
    await expect(full.write("x")).rejects.toMatchObject({
      code: "FS_WRITE",
      message: "cannot write /dev/full: no space left on device",
    });
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "slipway-test", dir], { stdio: "ignore" });
    } catch {
      return; // needs root and the right to mount; /dev/full stands for it above
    }
    try {
      const file = await prepareResultFile(at("m"));
      await expect(file.write("x".repeat(100_000))).rejects.toThrow(
        /cannot write .*\/m: no space left on device/,
      );
      expect(await readdir(dir)).toEqual([]);
      await writeFile(at("filler"), "x".repeat(100_000)).catch(() => {});
      expect(await whyNot(at("m"))).toBe("FS_WRITE: cannot write /m: no space left on device");
      expect(await readdir(dir)).toEqual(["filler"]);
    } finally {
      execFileSync("umount", [dir]);
    }
  });
});
