import { chmod, mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asOtherUser } from "../../test/support/other-user.js";
import { makeDirectory, makeDirectorySync } from "./make-directory.js";

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-mkdir-"));
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe.each([
  ["makeDirectory", makeDirectory],
  ["makeDirectorySync", async (path: string, mode: number) => makeDirectorySync(path, mode)],
])("%s", (_, make) => {
  it("makes what is missing, and tells the first of it", async () => {
    expect(await make(join(dir, "a/b/c"), 0o700)).toBe(join(dir, "a"));
    expect((await stat(join(dir, "a/b/c"))).mode & 0o777).toBe(0o700);
    expect(await make(join(dir, "a/b/c/"), 0o700)).toBeUndefined();
    expect(await make(join(dir, "a/b/d"), 0o700)).toBe(join(dir, "a/b/d"));
    expect(await make("/", 0o700)).toBeUndefined();
    await symlink("a/b", join(dir, "link"));
    expect(await make(join(dir, "link"), 0o700)).toBeUndefined();
    expect(await make(join(dir, "link/e/f"), 0o700)).toBe(join(dir, "link/e"));
  });

  it("many at once make the same", async () => {
    await Promise.all(Array.from({ length: 20 }, () => make(join(dir, "a/b/c/d"), 0o700)));
    expect((await stat(join(dir, "a/b/c/d"))).isDirectory()).toBe(true);
  });

  it("ends where the system says ENOENT below a directory that is there", { timeout: 5000 }, async () => {
    for (const path of ["/proc/nothere", "/proc/nothere/x", "/proc/nothere/x/y/z"])
      await expect(make(path, 0o700)).rejects.toMatchObject({
        code: "ENOENT",
        path: expect.stringMatching(/^\/proc\/nothere/) as string,
      });
  });

  it("names what stands in the way", async () => {
    await writeFile(join(dir, "file"), "");
    await expect(make(join(dir, "file"), 0o700)).rejects.toMatchObject({
      code: "EEXIST",
      path: join(dir, "file"),
    });
    await expect(make(join(dir, "file/x"), 0o700)).rejects.toMatchObject({ code: "ENOTDIR" });
    await symlink("nowhere", join(dir, "dangling"));
    await expect(make(join(dir, "dangling"), 0o700)).rejects.toMatchObject({ code: "EEXIST" });
    await expect(make(join(dir, "dangling/x"), 0o700)).rejects.toMatchObject({ path: join(dir, "dangling") });
  });

  it("a directory without permission", async () => {
    await mkdir(join(dir, "shut"));
    await chmod(join(dir, "shut"), 0o500);
    await asOtherUser([dir, join(dir, "shut")], async () => {
      await expect(make(join(dir, "shut/x"), 0o700)).rejects.toMatchObject({ code: "EACCES" });
    });
  });
});
