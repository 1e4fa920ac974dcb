import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeResult, cancelled } from "../../../test/support/fake-result.js";
import { pb } from "../../buildkit/index.js";
import { GrpcError, grpcCodes } from "../../http2/index.js";
import { files } from "../contexts.js";
import { openResult } from "../open-result.js";
import type { ExecMount } from "./mounts.js";
import type { OpenResult } from "./open-result.js";

let fake: FakeResult;
let result: OpenResult;
/** What containers were asked for with, besides their root. */
let asked: object[];

beforeEach(async () => {
  fake = await FakeResult.open();
  asked = [];
  fake.script.newContainer = ({ Mounts }) => (asked.push(...Mounts.slice(1)), {});
  const refs = { "linux/amd64": { id: "amd" }, "linux/arm64": { id: "arm" } };
  fake.script.solve = (_call, { Definition }) =>
    Definition
      ? { result: { result: { case: "ref", value: { id: "pulled" } } } }
      : { result: { result: { case: "refs", value: { refs } } } };
  result = await openResult({
    builder: "b",
    env: fake.builder.env,
    context: files({ Dockerfile: "FROM scratch\n" }),
  });
});
afterEach(async () => {
  await result.close();
  await fake[Symbol.asyncDispose]();
});

const exec = (mounts: unknown[], more: object = {}) =>
  result.exec(["tool"], { platform: "linux/amd64", mounts: mounts as ExecMount[], ...more });
const message = (mounts: unknown[]) =>
  exec(mounts).then(
    () => "none",
    (error: Error) => error.message,
  );

describe("what a command has besides the files of the result", () => {
  it("is given to its container", async () => {
    await exec([
      { type: "bind", target: "/a", source: "/srv", readonly: true },
      { type: "bind", target: "/b", platform: "linux/arm64" },
      { type: "image", target: "/c", image: "busybox", source: "/bin" },
      { type: "tmpfs", target: "/d", size: 4096 },
      { type: "tmpfs", target: "/d2" },
      { type: "cache", target: "/e" },
      { type: "cache", target: "/e2", id: "go", sharing: "locked" },
      { type: "secret", target: "/f", id: "token", mode: 0o444, optional: true },
      { type: "ssh", target: "/g" },
    ]);
    const { TMPFS, CACHE, SECRET, SSH } = pb.MountType;
    expect(asked).toMatchObject([
      { dest: "/a", resultID: "amd", selector: "/srv", readonly: true },
      { dest: "/b", resultID: "arm", selector: "", readonly: false },
      { dest: "/c", resultID: "pulled", selector: "/bin" },
      { dest: "/d", mountType: TMPFS, TmpfsOpt: { size: 4096n } },
      { dest: "/d2", mountType: TMPFS, TmpfsOpt: { size: 0n } },
      { dest: "/e", mountType: CACHE, cacheOpt: { ID: "/e", sharing: pb.CacheSharingOpt.SHARED } },
      { dest: "/e2", mountType: CACHE, cacheOpt: { ID: "go", sharing: pb.CacheSharingOpt.LOCKED } },
      { dest: "/f", mountType: SECRET, secretOpt: { ID: "token", mode: 0o444, optional: true } },
      { dest: "/g", mountType: SSH, SSHOpt: { ID: "default", mode: 0o600, optional: false } },
    ]);
  });

  it("may be an image of another platform, or one that cannot be had", async () => {
    const platforms: unknown[] = [];
    fake.script.solve = (_call, { Definition }) => {
      platforms.push(Buffer.concat(Definition?.def ?? []).toString("latin1"));
      if (platforms.length > 1) throw new GrpcError(grpcCodes.notFound, "no such image");
      return {};
    };
    const image = { type: "image", target: "/c", image: "example.com/tools:1", platform: "linux/s390x" };
    await exec([image]);
    expect(platforms[0]).toContain("s390x");
    expect(platforms[0]).toContain("docker-image://example.com/tools:1");
    // A result of nothing is an empty directory.
    expect(asked).toMatchObject([{ dest: "/c", resultID: "" }]);
    expect(await message([image])).toBe("the image example.com/tools:1 cannot be mounted: no such image");
  });

  it("is given up when the command is cancelled while an image is pulled", async () => {
    const abort = new AbortController();
    fake.script.solve = (call) => {
      abort.abort();
      return cancelled(call);
    };
    const failed = exec([{ type: "image", target: "/c", image: "busybox" }], { signal: abort.signal });
    await expect(failed).rejects.toMatchObject({ code: "ABORTED" });
    expect(asked).toEqual([]);
  });

  it.each([
    [{ type: "bind", target: "a" }, "give an absolute path below /"],
    [{ type: "bind", target: "" }, "give an absolute path below /"],
    [{ type: "bind", target: "//" }, "give an absolute path below /"],
    [{ type: "bind", target: "/a/.." }, "give an absolute path below /"],
    [{ type: "bind", target: "/./" }, "give an absolute path below /"],
    [{ type: "bind", target: "/a", platform: "linux/s390x" }, "nothing for linux/s390x"],
    [{ type: "bind", target: "/a", platform: "a/b/c/d/e" }, "nothing for a/b/c/d/e"],
    [{ type: "image", target: "/a", image: "" }, "invalid reference"],
    [{ type: "image", target: "/a", image: "Upper" }, "lower"],
    [{ type: "image", target: "/a", image: "a", platform: "?" }, "invalid OS component"],
    [{ type: "tmpfs", target: "/a", size: -1 }, "size must be a number of bytes"],
    [{ type: "tmpfs", target: "/a", size: Number.NaN }, "size must be a number of bytes"],
    [{ type: "cache", target: "/a", sharing: "none" }, "sharing must be"],
    [{ type: "secret", target: "/a" }, "id is missing"],
    [{ type: "secret", target: "/a", id: "x", mode: 2 ** 40 }, "mode must be permission bits"],
    [{ type: "ssh", target: "/a", mode: -1 }, "mode must be permission bits"],
    [{ type: "__proto__", target: "/a" }, "with a type of bind"],
    [{ target: "/a" }, "with a type of bind"],
    [undefined, "with a type of bind"],
  ])("is refused by name where it cannot be: %j", async (mount, text) => {
    expect(await message([mount])).toContain(text);
    expect(asked).toEqual([]);
  });
});
