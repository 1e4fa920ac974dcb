import { chmod, chown, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { refuseShared, sharedReason } from "./shared-directory.js";

const isRoot = process.getuid?.() === 0;
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "slipway-shared-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function directory(mode: number, path = join(root, "dir")): Promise<string> {
  await mkdir(path);
  await chmod(path, mode);
  return path;
}

test.each([0o700, 0o755, 0o775, 0o2775])("SEC-70 one's own directory of mode %o is used", async (mode) => {
  expect(sharedReason(await directory(mode))).toBeUndefined();
});

test.each([0o777, 0o1777, 0o702])("SEC-70 one of mode %o is not, with the way out", async (mode) => {
  const path = await directory(mode);
  expect(() => refuseShared(path, "FOO can name another")).toThrow(
    `${path} is not used, since every user of this machine can write to it: make it yours alone (chmod go-w), or FOO can name another`,
  );
  const link = join(root, "link");
  await symlink(path, link);
  expect(sharedReason(link)).toBe("every user of this machine can write to it");
});

test("SEC-70 what does not exist, or is no directory, is left for whoever opens it to report", async () => {
  expect(sharedReason(join(root, "none"))).toBeUndefined();
  expect(sharedReason("/dev/null")).toBeUndefined();
  await symlink("circle", join(root, "circle"));
  expect(sharedReason(join(root, "circle"))).toBeUndefined();
});

test.runIf(isRoot)(
  "SEC-70 a foreign group that may write, and a directory that another user made",
  async () => {
    const grouped = await directory(0o775);
    await chown(grouped, 0, 4242);
    expect(sharedReason(grouped)).toBe("the group 4242 can write to it");
    // A user's home, mounted: nobody else could have made it there.
    const home = await directory(0o755, join(root, "home"));
    await chown(home, 4242, 4242);
    expect(sharedReason(home)).toBeUndefined();
    // But in /tmp everybody can.
    await chmod(root, 0o1777);
    expect(sharedReason(home)).toBe("it belongs to the user 4242");
    const own = await directory(0o700, join(root, "own"));
    expect(sharedReason(own)).toBeUndefined();
    process.env["SUDO_UID"] = "4242";
    try {
      expect(sharedReason(home)).toBeUndefined();
    } finally {
      delete process.env["SUDO_UID"];
    }
  },
);
