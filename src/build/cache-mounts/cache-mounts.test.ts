import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, describe, expect, test } from "vitest";
import { pb } from "../../buildkit/index.js";
import { encodeOp as encode } from "../source-graph.js";
import { parseCacheMounts } from "../parse/cache-mounts.js";
import { ArchiveWatch } from "./archive-watch.js";
import { BuildGraph } from "./build-graph.js";
import { CacheMountFiles } from "./cache-mount-files.js";
import { findCacheMounts } from "./find-cache-mounts.js";
import { planCacheMounts } from "./plan-cache-mounts.js";

const scratch = await mkdtemp(join(tmpdir(), "slipway-cache-mounts-"));
afterAll(() => rm(scratch, { recursive: true, force: true }));

const encodeOp = (op: MessageInitShape<typeof pb.OpSchema>) => encode(op, [], "");
type Mount = MessageInitShape<typeof pb.MountSchema>;

const image = encodeOp({
  op: { case: "source", value: { identifier: "docker-image://docker.io/library/x:1" } },
});
const owned = encodeOp({
  op: {
    case: "file",
    value: { actions: [{ input: -1n, action: { case: "mkdir", value: { path: "/cache" } } }] },
  },
});
const local = (session: string) =>
  encodeOp({
    op: { case: "source", value: { identifier: "local://context", attrs: { "local.session": session } } },
  });

/** The graph of one step with these cache mounts, and with what they begin with. */
function graphOf(mounts: Mount[], { bases = [owned], ignoreCache = false } = {}) {
  const step = encodeOp({
    inputs: [image, ...bases].map(({ digest }) => ({ digest, index: 0n })),
    op: {
      case: "exec",
      value: {
        mounts: [
          { dest: "/", input: 0n },
          ...mounts.map((mount): Mount => ({
            input: -1n,
            output: -1n,
            mountType: pb.MountType.CACHE,
            ...mount,
          })),
        ],
      },
    },
  });
  const end = encodeOp({ inputs: [{ digest: step.digest, index: 0n }] });
  return new BuildGraph(
    create(pb.DefinitionSchema, {
      def: [image, ...bases, step, end].map(({ data }) => data),
      metadata: { [step.digest]: { ignoreCache } },
    }),
  );
}

describe("the cache mounts of a build", () => {
  test("are found with what they begin with, and the images that can handle them", () => {
    const graph = graphOf([
      { dest: "/root/.npm", cacheOpt: { ID: "//root/.npm" } },
      {
        dest: "/x",
        cacheOpt: { ID: "/go", sharing: pb.CacheSharingOpt.LOCKED },
        input: 1n,
        selector: "/cache",
      },
      { dest: "/tmp", mountType: pb.MountType.TMPFS },
    ]);
    const [npm, go, ...others] = findCacheMounts([graph]);
    expect(others).toEqual([]);
    expect(npm).toMatchObject({ title: "/root/.npm", base: undefined, hasContent: false, isMadeAnew: false });
    expect(npm?.fileName).toMatch(/^root-.npm-[0-9a-f]{16}$/);
    expect(npm?.images.map(({ edge }) => edge.digest)).toEqual([image.digest]);
    expect(go).toMatchObject({
      title: "go",
      selector: "/cache",
      hasContent: false,
      base: { edge: { digest: owned.digest } },
    });
    expect(go?.base?.graph.definition(go.base.edge).def).toHaveLength(2);
  });

  test("have the same files in every build, and others for another id, part or beginning", () => {
    const mount: Mount = { dest: "/a", cacheOpt: { ID: "/a" }, input: 1n };
    const nameOf = (given: Mount, bases = [local("1")]) =>
      findCacheMounts([graphOf([given], { bases })])[0]?.fileName;
    expect(nameOf(mount, [local("2")])).toBe(nameOf(mount));
    const others = [
      { ...mount, cacheOpt: { ID: "/b" } },
      { ...mount, selector: "/b" },
      { ...mount, input: 0n },
    ];
    expect(new Set([mount, ...others].map((one) => nameOf(one))).size).toBe(4);
    expect(findCacheMounts([graphOf([mount], { bases: [image] })])[0]).toMatchObject({ hasContent: true });
  });

  test("have names that are safe as files, whatever the id", () => {
    for (const ID of ["/../../etc/passwd", "/", `/${"x".repeat(5000)}`, "/\u0000\n*", "/ä"]) {
      const [mount] = findCacheMounts([graphOf([{ dest: "/d", cacheOpt: { ID } }])]);
      expect(mount?.fileName).toMatch(/^(?![.-])[A-Za-z0-9._-]{16,80}$/);
    }
  });

  test("are one where several steps and platforms have it, and are made anew when one of them ignores the cache", () => {
    const mount: Mount = { dest: "/a", cacheOpt: { ID: "/a" } };
    const [one, ...others] = findCacheMounts([graphOf([mount]), graphOf([mount], { ignoreCache: true })]);
    expect(others).toEqual([]);
    expect(one).toMatchObject({ isMadeAnew: true });
    expect(one?.images).toHaveLength(2);
  });

  test("of a graph that is none, or leads nowhere, are told", () => {
    expect(() => new BuildGraph(create(pb.DefinitionSchema, { def: [Buffer.from([255, 255])] }))).toThrow(
      expect.objectContaining({ code: "BUILDER_CLAIM" }),
    );
    const lost = graphOf([
      { dest: "/a", cacheOpt: { ID: "/a" }, input: 7n },
      { dest: "/b", cacheOpt: { ID: "/b" }, input: 99n },
    ]);
    expect(findCacheMounts([lost])).toHaveLength(2);
  });
});

describe("files of cache mounts", () => {
  const archive = () => execFileSync("tar", ["-C", scratch, "-cf", "-", "--exclude=*", "."]);

  test("are whole or not there", async () => {
    const dir = join(scratch, "deep", "dir");
    const files = new CacheMountFiles(dir);
    await files.tidy();
    expect(await files.find("a")).toBeUndefined();
    const broken = await files.write("a");
    broken.write("half");
    broken.destroy();
    const content = archive();
    await pipeline([content], await files.write("a"));
    expect(await readdir(dir)).toEqual(["a.tar"]);
    const found = await files.find("a");
    for await (const _ of found!.read()) break;
    expect(await buffer(found!.read())).toEqual(content);
    expect(await buffer(found!.read())).toEqual(content);
    await found?.[Symbol.asyncDispose]();
  });

  test.each([
    ["a link", (path: string) => symlink("/etc/passwd", path)],
    ["a directory", (path: string) => mkdir(path)],
    ["a pipe", async (path: string) => void execFileSync("mkfifo", [path])],
    ["empty", (path: string) => writeFile(path, "")],
    ["cut off", (path: string) => writeFile(path, Buffer.alloc(2048, 1))],
    ["short", (path: string) => writeFile(path, Buffer.alloc(512))],
  ])("that are no archives are refused: %s", async (_, put) => {
    const dir = await mkdtemp(join(scratch, "x-"));
    const files = new CacheMountFiles(dir);
    await put(files.pathOf("a"));
    await expect(files.find("a")).rejects.toMatchObject({ code: "FS_READ", path: files.pathOf("a") });
  });

  test("that were left half-written long ago are removed, and nothing else", async () => {
    const dir = await mkdtemp(join(scratch, "x-"));
    for (const name of [".a.tar.0123456789ab.part", ".b.tar.0123456789ab.part", ".a.part", "a.tar"])
      await writeFile(join(dir, name), "");
    for (const name of [".a.tar.0123456789ab.part", ".a.part", "a.tar"]) await utimes(join(dir, name), 1, 1);
    await new CacheMountFiles(dir).tidy();
    expect((await readdir(dir)).sort()).toEqual([".a.part", ".b.tar.0123456789ab.part", "a.tar"]);
  });

  test("where they cannot be are an error that names the path", async () => {
    await writeFile(join(scratch, "file"), "");
    const dir = join(scratch, "file", "x");
    await expect(new CacheMountFiles(dir).write("a")).rejects.toMatchObject({ code: "FS_WRITE" });
    for (const bad of [dir, join(scratch, "file"), ""])
      await expect(planCacheMounts({ dir: bad })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(planCacheMounts({ dir: scratch, image: "UPPER" })).rejects.toThrow("UPPER");
    expect(await planCacheMounts({ dir: join(scratch, "new") })).toEqual({ dir: join(scratch, "new") });
  });
});

test.each([
  [[512], { isEmpty: true, isWhole: false }],
  [[512, 1024], { isEmpty: true, isWhole: true }],
  [[100, 412, 24, 1000], { isEmpty: true, isWhole: true }],
  [[1536], { isEmpty: false, isWhole: false }],
])("an archive that comes in pieces of %j", async (sizes, expected) => {
  const watch = new ArchiveWatch();
  watch.resume();
  let at = 0;
  for (const size of sizes) {
    // The first block, and all of a single large piece, is not zero.
    watch.write(Buffer.alloc(size, at < 512 ? 1 : 0));
    at += size;
  }
  watch.end();
  await new Promise((resolve) => watch.on("end", resolve));
  expect({ isEmpty: watch.isEmpty, isWhole: watch.isWhole }).toEqual(expected);
});

test.each([
  ["cache", { dir: "cache" }],
  ["a=b,c", { dir: "a=b,c" }],
  ["dir=cache", { dir: "cache" }],
  ["image=busybox:1,dir=a b", { dir: "a b", image: "busybox:1" }],
])("--cache-mounts %s", (text, expected) => expect(parseCacheMounts(text)).toEqual(expected));

test.each(["dir=", "image=x", "dir=a,imgae=x", "dir=a,x"])("--cache-mounts %s is refused", (text) =>
  expect(() => parseCacheMounts(text)).toThrow(/expecting dir=DIRECTORY|dir required/),
);
