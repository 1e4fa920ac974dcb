import { execFile } from "node:child_process";
import { once } from "node:events";
import { link, mkdir, open, readFile, readdir, stat, symlink, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { engineEnv } from "../support/engine-env.js";
import { type SlipwayOptions, type SlipwayResult, bundle, mostMebibytes } from "../support/slipway.js";
import { Workplace, eventually } from "../support/workplace.js";

/** Much of everything, with the real BuildKit: nothing is lost, and memory stays bounded. */
const { long } = engineEnv();
const mebibyte = 2 ** 20;
let place: Workplace;
let builder: string;

beforeAll(async () => {
  place = await Workplace.open("scale");
  // BuildKit cuts off what a step prints beyond 2 MiB, or too fast.
  const unlimited = ["BUILDKIT_STEP_LOG_MAX_SIZE=-1", "BUILDKIT_STEP_LOG_MAX_SPEED=-1"];
  const options = ["network=host", ...unlimited.map((variable) => `env.${variable}`)];
  const flags = options.flatMap((option) => ["--driver-opt", option]);
  builder = await place.builder("b", ...flags, "--bootstrap");
});

afterAll(() => place.close());

const build = (dir: string, flags: string[], options?: SlipwayOptions) =>
  place.start(["build", "--builder", builder, "--progress", "plain", ...flags, dir], options);

function expectSmall({ exitCode, stderr, peakMebibytes }: SlipwayResult, code = 0) {
  expect(exitCode, stderr).toBe(code);
  expect(peakMebibytes).toBeLessThan(mostMebibytes);
}

describe("MEM-2 MEM-3 one large file", () => {
  const size = (long ? 3072 : 256) * mebibyte;
  let dir: string;

  beforeAll(async () => {
    dir = await place.context({ Dockerfile: "FROM scratch\nCOPY large /\n", large: "" });
    await truncate(path.join(dir, "large"), size);
  });

  it("goes up, and out as an archive", async () => {
    expectSmall(await build(dir, ["-o", "type=tar,dest=/dev/null"]).result);
  });

  it("goes out into a directory", async () => {
    const out = await place.context({});
    expectSmall(await build(dir, ["-o", out]).result);
    expect((await stat(path.join(out, "large"))).size).toBe(size);
  });

  it("goes into the engine", async () => {
    const tag = `${place.id}:large`;
    expectSmall(await build(dir, ["--load", "-t", tag]).result);
    expect((await place.engine.images.inspect(tag)).Size).toBeGreaterThanOrEqual(size);
    await place.engine.images.remove(tag, { force: true });
  });

  it("goes to a reader that is slower than the builder", async () => {
    const { child, result } = build(dir, ["-o", "type=tar,dest=-"], { readStdout: false });
    let bytes = 0;
    let next = 0;
    for await (const chunk of child.stdout ?? []) {
      bytes += (chunk as Buffer).length;
      // 40 MB/s at most.
      for (; bytes > next; next += mebibyte) await new Promise((resolve) => setTimeout(resolve, 25));
    }
    expectSmall(await result);
    expect(bytes).toBeGreaterThan(size);
  });
});

it("MEM-1 MEM-4 FLT-69 many files go up, up again with one changed, and out", async () => {
  const [directories, each] = long ? [200, 600] : [100, 50];
  const dir = await place.context({ Dockerfile: "FROM scratch\nCOPY tree /\n" });
  for (let d = 0; d < directories; d++) {
    const inner = path.join(dir, "tree", `directory-${d % 10}`, `directory-${d}`);
    await mkdir(inner, { recursive: true });
    await Promise.all(
      Array.from({ length: each }, (_, f) => writeFile(path.join(inner, `file-${f}`), `${d}/${f}\n`)),
    );
  }
  expectSmall(await build(dir, []).result);
  await writeFile(path.join(dir, "tree", "directory-0", "directory-0", "file-0"), "changed\n");
  const out = path.join(await place.context({}), "out");
  expectSmall(await build(dir, ["-o", out]).result);
  const names = (await readdir(out, { recursive: true })).filter((name) => name.includes("file-"));
  expect(names).toHaveLength(directories * each);
  expect(await readFile(path.join(out, "directory-0", "directory-0", "file-0"), "utf8")).toBe("changed\n");

  // MEM-4: few files are open at a time, whatever the tree.
  const again = path.join(await place.context({}), "out");
  const limited = ["-c", 'ulimit -n 256 && exec "$@"', "sh", process.execPath, bundle];
  const env = { ...process.env, ...place.env };
  await promisify(execFile)("sh", [...limited, "build", "--builder", builder, "-o", again, dir], { env });
  expect(await readdir(again, { recursive: true })).toHaveLength(
    (await readdir(out, { recursive: true })).length,
  );
});

it("FLT-57 FLT-62 FLT-63 FLT-64 names of every kind, links and loops come out as they went in", async () => {
  const dir = await place.context({ Dockerfile: "FROM scratch\nCOPY tree /\n" });
  const tree = Buffer.from(path.join(dir, "tree/"));
  const at = (name: Buffer | string) => Buffer.concat([tree, Buffer.from(name as string)]);
  await mkdir(tree);
  const names = ["new\nline", "back\\slash", " spaces ", "-dash", "*[?]", "\u{E000}", "\u{10000}"].map(
    (name) => Buffer.from(name),
  );
  names.push(Buffer.from([0xff, 0xfe, 0x61]));
  for (const name of names) await writeFile(at(name), name);
  await link(at("back\\slash"), at("linked"));
  await symlink("loop-b", at("loop-a"));
  await symlink("loop-a", at("loop-b"));
  await symlink(".", at("self"));
  await symlink("/nowhere/../at all", at("dangling"));
  const out = path.join(await place.context({}), "out");
  expectSmall(await build(dir, ["-o", out]).result);
  const inOrder = async (dir: Buffer | string) =>
    ((await readdir(dir, { encoding: "buffer" })) as Buffer[]).sort((a, b) => a.compare(b));
  expect(await inOrder(out)).toEqual(await inOrder(tree));
  for (const name of names)
    expect(await readFile(Buffer.concat([Buffer.from(`${out}/`), name]))).toEqual(name);
  const inode = async (name: string) => (await stat(path.join(out, name))).ino;
  expect(await inode("linked")).toBe(await inode("back\\slash"));
});

it("FLT-71 extended attributes of files are left out, without a word", async () => {
  const dir = await place.context({ Dockerfile: "FROM scratch\nCOPY f /\n", f: "content" });
  const set = [
    "-c",
    "import os, sys; os.setxattr(sys.argv[1], 'user.slipway', b'kept')",
    path.join(dir, "f"),
  ];
  try {
    await promisify(execFile)("python3", set);
  } catch (error) {
    console.log(`FLT-71: the file has no attribute that could be left out: ${String(error)}`);
  }
  const archive = path.join(dir, "out.tar");
  expectSmall(await build(dir, ["-o", `type=tar,dest=${archive}`]).result);
  const written = await readFile(archive);
  expect(written.includes("content")).toBe(true);
  expect(written.includes("user.slipway")).toBe(false);
});

it("FLT-75 twenty thousand ignore patterns are kept", async () => {
  const patterns = Array.from({ length: 20_000 }, (_, index) => `ignored/file-${index}.tmp`);
  const dir = await place.context({
    Dockerfile: "FROM scratch\nCOPY . /\n",
    ".dockerignore": `${patterns.join("\n")}\n`,
    "ignored/file-19999.tmp": "",
    "ignored/file-20000.tmp": "",
  });
  const out = path.join(await place.context({}), "out");
  expectSmall(await build(dir, ["-o", out]).result);
  expect(await readdir(path.join(out, "ignored"))).toEqual(["file-20000.tmp"]);
});

it("FLT-75 an ignore file that is larger than what can be sent is named before anything is", async () => {
  const pattern = `${"x".repeat(1023)}\n`;
  const dir = await place.context({
    Dockerfile: "FROM scratch\nCOPY . /\n",
    ".dockerignore": pattern.repeat(17 << 10),
  });
  const { exitCode, stderr } = await build(dir, []).result;
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`failed to read .dockerignore: open ${dir}/.dockerignore: it has 17825792 bytes`);
  expect(stderr).not.toContain("load build definition");
});

it("a Dockerfile of 1 MiB and 200 stages is built", async () => {
  const stages = Array.from({ length: 199 }, (_, index) => `FROM scratch AS s${index}\nCOPY f /f${index}\n`);
  const copies = stages
    .map((_, index) => `COPY --from=s${index} /f${index} /\n`)
    .filter((_, n) => n % 4 === 0);
  const comment = `# ${"x".repeat(1000)}\n`;
  const dockerfile = `${stages.join("")}FROM scratch\n${copies.join("")}`;
  const dir = await place.context({
    Dockerfile: comment.repeat(Math.ceil((mebibyte - dockerfile.length) / comment.length)) + dockerfile,
    f: "f",
  });
  expect((await stat(path.join(dir, "Dockerfile"))).size).toBeGreaterThanOrEqual(mebibyte);
  const out = path.join(await place.context({}), "out");
  expectSmall(await build(dir, ["-o", out]).result);
  expect(await readdir(out)).toHaveLength(copies.length);
});

describe("a step that prints very much", () => {
  const amount = (long ? 2048 : 32) * mebibyte;
  const flood = (marker: string) =>
    `FROM busybox AS made\nRUN yes ${marker} | head -c ${amount} && echo ${marker} >/made\nFROM scratch\nCOPY --from=made /made /\n`;

  it.each(["plain", "rawjson", "quiet"])("MEM-7 --progress=%s", async (progress) => {
    const dir = await place.context({ Dockerfile: flood(progress) });
    await using nowhere = await open("/dev/null", "w");
    const flags = ["build", "--builder", builder, "--progress", progress, dir];
    expectSmall(await place.run(flags, { stderr: nowhere.fd }));
  });

  it("FLT-39 a build comes to its end while nobody reads its progress, and says all of it later", async () => {
    const dir = await place.context({ Dockerfile: flood("stuck") });
    const out = path.join(await place.context({}), "out");
    const { child, result } = place.start(
      ["build", "--builder", builder, "--progress", "plain", "-o", out, dir],
      { readStderr: false },
    );
    await eventually(async () => {
      expect(child.exitCode).toBeNull();
      return (await readFile(path.join(out, "made"), "utf8").catch(() => "")) !== "";
    });
    let said = 0;
    child.stderr?.on("data", (chunk: Buffer) => (said += chunk.length));
    const ended = await result;
    if (!child.stderr?.readableEnded) await once(child.stderr as NodeJS.ReadableStream, "end");
    expectSmall(ended);
    expect(said).toBeGreaterThan(amount);
  });
});
