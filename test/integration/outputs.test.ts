import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, open, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BuildOptions, Builder, type Connection, type Output, connect, files } from "../../src/index.js";
import { parseOutput } from "../../src/build/index.js";
import { engineEnv } from "../support/engine-env.js";
import { TestLayout } from "../support/layout.js";
import { bundle } from "../support/slipway.js";
import { Workplace } from "../support/workplace.js";

const { registry } = engineEnv();
const context = files({ Dockerfile: "FROM scratch\nCOPY greeting /\n", greeting: "hello" });
/** With a base, whose layer is not made anew unless forced to. */
const based = files({ Dockerfile: "FROM busybox\nCOPY greeting /\n", greeting: "hello" });

let place: Workplace;
let builder: Builder;
let connection: Connection;
let scratch: string;
let directory: string;

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "slipway-outputs-"));
  place = await Workplace.open("outputs");
  directory = await place.context({ Dockerfile: "FROM scratch\nCOPY greeting /\n", greeting: "hello" });
  const name = await place.builder("main", "--driver-opt", "network=host");
  builder = await Builder.open({ name, env: place.env });
  connection = await connect({ builder, env: place.env });
});

afterAll(async () => {
  await connection?.close();
  await place?.close();
  await rm(scratch, { recursive: true, force: true });
});

/** A path that is not there yet. */
async function fresh(name = "out"): Promise<string> {
  return path.join(await mkdtemp(path.join(scratch, "o-")), name);
}

function build(outputs: readonly Output[], options: Partial<BuildOptions> = {}) {
  return connection.build({ context, outputs, env: place.env, ...options });
}

/** Builds into a layout. */
async function layout(attrs: Record<string, string> = {}, options: Partial<BuildOptions> = {}) {
  const dest = await fresh();
  await build([{ type: "oci", dest, attrs: { tar: "false", ...attrs } }], options);
  return new TestLayout(dest);
}

/** Runs `slipway build` with these flags on a directory, in a directory of its own if none is given. */
async function command(flags: readonly string[], options: { cwd?: string; context?: string } = {}) {
  const cwd = options.cwd ?? (await mkdtemp(path.join(scratch, "cwd-")));
  const args = ["build", "--builder", builder.name, "--progress", "quiet", ...flags];
  return { cwd, ...(await place.run([...args, options.context ?? directory], { cwd })) };
}

/** Digest of what the registry has under a tag or digest; undefined when it has nothing. */
async function pushedDigest(repository: string, reference: string): Promise<string | undefined> {
  const accept = ["manifest.v1", "index.v1"]
    .map((type) => `application/vnd.oci.image.${type}+json`)
    .join(",");
  const url = `http://${registry}/v2/${repository}/manifests/${reference}`;
  const response = await fetch(url, { method: "HEAD", headers: { accept } });
  return response.headers.get("docker-content-digest") ?? undefined;
}

const tarNames = (archive: Buffer) =>
  execFileSync("tar", ["-tf", "-"], { input: archive, encoding: "utf8" }).trim().split("\n");

describe("where outputs go", () => {
  test("several in one build", async () => {
    const [dir, tarFile, oci] = [await fresh("dir"), await fresh("a.tar"), await fresh("oci.tar")];
    const stream = new PassThrough();
    const received = stream.toArray();
    const name = `${registry}/outputs/several:1`;
    const result = await build(
      [
        { type: "local", dest: dir },
        { type: "tar", dest: tarFile },
        { type: "oci", dest: oci },
        { type: "docker", dest: stream },
        { type: "registry" },
      ],
      { tags: [name] },
    );
    expect(await readFile(path.join(dir, "greeting"), "utf8")).toBe("hello");
    expect(tarNames(await readFile(tarFile))).toEqual(["greeting"]);
    expect(tarNames(await readFile(oci))).toContain("index.json");
    expect(tarNames(Buffer.concat((await received) as Buffer[]))).toContain("manifest.json");
    expect(result.names).toContain(name);
    expect(await pushedDigest("outputs/several", "1")).toBe(result.digest);
  });

  test("standard output: a lone -, tar and oci", async () => {
    for (const [flags, name] of [
      [["-o", "-"], "greeting"],
      [["-o", "type=tar"], "greeting"],
      [["-o", "type=oci"], "index.json"],
      [["-o", "type=docker,dest=-"], "manifest.json"],
    ] as const) {
      for (const archive of await standardOutput(flags)) expect(tarNames(archive)).toContain(name);
    }
  });

  test("FLT-94 standard output for two, or on a terminal, is refused before anything is sent", async () => {
    const two = await command(["-o", "type=tar", "-o", "type=oci"]);
    expect(two).toMatchObject({ exitCode: 1, stdout: "" });
    expect(two.stderr).toContain("multiple outputs configured to write to stdout");
    const onTerminal = await inTerminal(["build", "--builder", builder.name, "-o", "type=tar", directory]);
    expect(onTerminal).toContain("dest file is required for tar exporter. refusing to write to console");
  });

  test("destinations that cannot be are told by name, and left as they were", async () => {
    const dir = await fresh("dir");
    await mkdir(dir);
    const file = await fresh("file");
    await writeFile(file, "mine");
    for (const [output, message] of [
      ["type=local", "dest is required for local exporter"],
      ["type=local,dest=-", "dest cannot be stdout for local exporter"],
      [`type=local,dest=${file}`, `destination directory ${file} is a file`],
      [`type=tar,dest=${dir}`, `destination file ${dir} is a directory`],
      [`type=oci,dest=${file}/x`, `${file}/x`],
      ["type=oci,tar=false", "dest is required for oci exporter"],
      [`type=oci,tar=false,dest=${file}`, `destination directory ${file} is a file`],
      ["type=oci,tar=false,dest=-", "dest cannot be stdout for oci exporter"],
      [`type=oci,tar=false,dest=${file}/x`, `${file}/x`],
      ["dest=x,tar=false", "type is required for output"],
      ["type=bogus", "bogus"],
      ["type=image,push=true", "tag is needed when pushing to registry"],
    ] as const) {
      await expect((async () => build([parseOutput(output)]))(), output).rejects.toThrow(message);
    }
    const { exitCode, stdout, stderr } = await command(["-o", `type=local,dest=${file}`]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain(`destination directory ${file} is a file`);
    expect(await readFile(file, "utf8")).toBe("mine");
    expect(await readdir(dir)).toEqual([]);
  });

  test("src= gives a directory of the result, as files and as an archive", async () => {
    const tree = files({ Dockerfile: "FROM scratch\nCOPY . /\n", "app/bin/run": "run", other: "no" });
    const dest = await fresh();
    await build([{ type: "local", dest, attrs: { src: "/app" } }], { context: tree });
    expect(await readdir(dest, { recursive: true })).toEqual(["bin", "bin/run"]);
    await build([{ type: "tar", dest: `${dest}.tar`, attrs: { src: "app/bin" } }], { context: tree });
    const names = execFileSync("tar", ["-tf", `${dest}.tar`], { encoding: "utf8" })
      .trim()
      .split("\n");
    expect(names.filter((name) => name !== "./")).toEqual(["run"]);
    const { exitCode, stderr } = await command(["-o", "type=local,dest=none,src=/nothing"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("src=/nothing");
  });

  test("a directory of a layout is added to, by name", async () => {
    const dest = await fresh();
    const add = (name: string) => build([{ type: "oci", dest, attrs: { tar: "false", name } }]);
    await add("example.com/a:1");
    await add("example.com/a:2");
    await add("example.com/a:1");
    const { manifests } = await new TestLayout(dest).index();
    const names = manifests.map(({ annotations }) => annotations?.["io.containerd.image.name"]);
    expect(names.sort((a = "", b = "") => a.localeCompare(b))).toEqual([
      "example.com/a:1",
      "example.com/a:2",
    ]);
    expect(existsSync(path.join(dest, "index.json.lock"))).toBe(false);
  });
});

/** Standard output as it is, which is no text: as a file and through a pipe, which end differently in Node. */
async function standardOutput(flags: readonly string[]): Promise<Buffer[]> {
  const file = await fresh();
  const handle = await open(file, "w");
  const args = ["build", "--builder", builder.name, "--progress", "quiet", ...flags, directory];
  const { exitCode } = await place.run(args, { stdout: handle.fd });
  await handle.close();
  expect(exitCode).toBe(0);
  const run = place.start(args, { readStdout: false });
  const piped = buffer(run.child.stdout as Readable);
  expect((await run.result).exitCode).toBe(0);
  return [await readFile(file), await piped];
}

/** What a command says on a terminal, where it must fail. */
async function inTerminal(args: readonly string[]): Promise<string> {
  const line = [process.execPath, bundle, ...args].map((word) => `'${word}'`).join(" ");
  const { stdout } = await promisify(execFile)(
    "script",
    ["-qec", `${line} && exit 9 || exit 0`, "/dev/null"],
    {
      env: { ...process.env, ...place.env },
    },
  );
  return stdout;
}

describe("mode=delete (SEC-64)", () => {
  /** A directory with a file that the result lacks. */
  async function withStale(dir: string): Promise<string> {
    await mkdir(path.join(dir, "sub"), { recursive: true });
    await writeFile(path.join(dir, "sub/stale"), "");
    return dir;
  }

  test("mirrors below the working directory, copy only adds", async () => {
    const cwd = await mkdtemp(path.join(scratch, "cwd-"));
    await withStale(path.join(cwd, "out"));
    expect((await command(["-o", "type=local,dest=out"], { cwd })).exitCode).toBe(0);
    expect((await readdir(path.join(cwd, "out"))).sort()).toEqual(["greeting", "sub"]);
    expect((await command(["-o", "type=local,dest=out,mode=delete"], { cwd })).exitCode).toBe(0);
    expect(await readdir(path.join(cwd, "out"))).toEqual(["greeting"]);
  });

  test("elsewhere only when allowed; a link does not count as below", async () => {
    const outside = await withStale(await fresh());
    const cwd = await mkdtemp(path.join(scratch, "cwd-"));
    await symlink(outside, path.join(cwd, "link"));
    for (const dest of [outside, "link", ".", "..", "/"]) {
      const refused = await command(["-o", `type=local,dest=${dest},mode=delete`], { cwd });
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toContain(
        `local output mode=delete for destination ${JSON.stringify(dest)} requires --allow=buildx.local.delete`,
      );
    }
    expect(existsSync(path.join(outside, "sub/stale"))).toBe(true);
    const allow = ["--allow", "buildx.local.delete"];
    const allowed = await command([...allow, "-o", `type=local,dest=${outside},mode=delete`], { cwd });
    expect(allowed).toMatchObject({ exitCode: 0 });
    expect(await readdir(outside)).toEqual(["greeting"]);
  });

  test("a mode that is not known", async () => {
    const { exitCode, stderr } = await command(["-o", "type=local,dest=out,mode=bogus"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('invalid local output mode "bogus", expecting copy or delete');
  });
});

describe("images", () => {
  const epoch = "1700000000";

  test("of SOURCE_DATE_EPOCH with rewrite-timestamp are the same twice", async () => {
    const once = async (mtime: Date) => {
      const found = await layout(
        { "rewrite-timestamp": "true" },
        {
          context: files({
            Dockerfile: "FROM busybox\nCOPY a /\nRUN echo b > /b\n",
            a: { content: "a", mtime },
          }),
          noCache: true,
          provenance: false,
          env: { ...place.env, SOURCE_DATE_EPOCH: epoch },
        },
      );
      return found.root();
    };
    const first = await once(new Date(1_750_000_000_000));
    const second = await once(new Date(1_760_000_000_000));
    expect(second.descriptor.digest).toBe(first.descriptor.digest);
  });

  test("an epoch that is none", async () => {
    const env = { ...place.env, SOURCE_DATE_EPOCH: "yesterday" };
    await expect(layout({}, { env })).rejects.toThrow(/SOURCE_DATE_EPOCH.*yesterday/);
  });

  const gzip = Buffer.from("1f8b", "hex");
  const zstd = Buffer.from("28b52ffd", "hex");
  const zstdType = "application/vnd.oci.image.layer.v1.tar+zstd";

  /** Layers of an image, each with its first bytes. */
  async function layers(attrs: Record<string, string>, options: Partial<BuildOptions> = {}) {
    const found = await layout(attrs, { context: based, provenance: false, ...options });
    const { manifest } = await found.root();
    return Promise.all(
      manifest.layers.map(async (layer) => ({
        ...layer,
        head: (await found.blob(layer.digest)).subarray(0, 4),
      })),
    );
  }

  test("compression=zstd for new layers, for all with force-compression", async () => {
    const [base, own] = await layers({ compression: "zstd", "compression-level": "3" });
    expect(base?.head.subarray(0, 2)).toEqual(gzip);
    expect(own).toMatchObject({ mediaType: zstdType, head: zstd });
    const all = await layers({ compression: "zstd", "force-compression": "true" });
    expect(all.map(({ mediaType, head }) => [mediaType, head])).toEqual([
      [zstdType, zstd],
      [zstdType, zstd],
    ]);
  });

  test("compression=estargz, uncompressed and levels", async () => {
    const [, star] = await layers({ compression: "estargz", "force-compression": "true" });
    expect(star?.annotations).toHaveProperty("containerd.io/snapshot/stargz/toc.digest");
    const [, plain] = await layers({ compression: "uncompressed", "force-compression": "true" });
    expect(plain?.mediaType).toBe("application/vnd.oci.image.layer.v1.tar");
    // A layer that is compressed already is not compressed anew, so that each has a content of its own.
    const size = async (level: string) => {
      const large = files({
        Dockerfile: "FROM busybox\nCOPY text /\n",
        text: `slipway ${level} `.repeat(5000),
      });
      return (await layers({ "compression-level": level }, { context: large }))[1]?.size ?? 0;
    };
    expect(await size("9")).toBeLessThan(await size("0"));
  });

  test("attributes with a wrong value are told by the builder", async () => {
    for (const [attrs, message] of [
      [{ compression: "bogus" }, /bogus/],
      [{ compression: "gzip", "compression-level": "x" }, /compression-level|"x"/],
      [{ "rewrite-timestamp": "maybe" }, /rewrite-timestamp|maybe/],
    ] as const)
      await expect(layout(attrs)).rejects.toThrow(message);
  });

  test("annotations on every level", async () => {
    const found = await layout(
      {},
      {
        platforms: ["linux/amd64", "linux/arm64"],
        annotations: [
          "plain=p",
          "manifest:m=1",
          "manifest[linux/arm64]:arm=only",
          "manifest-descriptor[linux/amd64]:md=2",
          "index:i=3",
          "index-descriptor:id=4",
          "index,manifest:both=5",
        ],
      },
    );
    const { descriptor, manifest: index } = await found.root();
    expect(descriptor.annotations).toMatchObject({ id: "4" });
    expect(index.annotations).toEqual({ both: "5", i: "3" });
    const of = async (architecture: string) => {
      const entry = index.manifests.find(({ platform }) => platform?.architecture === architecture);
      return {
        descriptor: entry?.annotations,
        manifest: (await found.manifest(entry?.digest ?? "")).annotations,
      };
    };
    expect(await of("amd64")).toEqual({
      descriptor: { md: "2" },
      manifest: { both: "5", m: "1", plain: "p" },
    });
    expect(await of("arm64")).toEqual({
      descriptor: undefined,
      manifest: { arm: "only", both: "5", m: "1", plain: "p" },
    });
  });

  test("annotations that are none", async () => {
    for (const [annotation, message] of [
      ["x", 'invalid annotation "x"'],
      ["bogus:a=b", 'unknown annotation type "bogus"'],
      ["manifest[linux:a=b", "invalid annotation type"],
    ] as const)
      await expect(layout({}, { annotations: [annotation] })).rejects.toThrow(message);
  });
});

describe("pushing", () => {
  test("push-by-digest gives the registry no tag", async () => {
    const name = `${registry}/outputs/by-digest`;
    const attrs = { name, "push-by-digest": "true", push: "true" };
    const { digest, names } = await build([{ type: "image", attrs }]);
    expect(names).toEqual([name]);
    expect(await pushedDigest("outputs/by-digest", digest ?? "")).toBe(digest);
    expect(await pushedDigest("outputs/by-digest", "latest")).toBeUndefined();
  });

  test("to a registry that is not there, or under a name that is none", async () => {
    const none = await command(["--push", "-t", "127.0.0.1:1/a:1"]);
    expect(none.exitCode).toBe(1);
    expect(none.stderr).toMatch(/127\.0\.0\.1:1/);
    const wrong = await command(["--push", "-t", "UPPER"]);
    expect(wrong.exitCode).toBe(1);
    expect(wrong.stderr).toContain('invalid tag "UPPER"');
  });
});

describe("result files", () => {
  test("iidfile and quiet give the image's id; a failed build leaves no file behind", async () => {
    const { cwd, stdout, exitCode } = await command(["-q", "--iidfile", "id", "-o", "type=oci,dest=a.tar"]);
    expect(exitCode).toBe(0);
    expect(`${await readFile(path.join(cwd, "id"), "utf8")}\n`).toBe(stdout);
    const broken = await place.context({ Dockerfile: "FROM scratch\nCOPY none /\n" });
    const failed = await command(["--iidfile", "id", "--metadata-file", "m", "-o", "type=oci,dest=b.tar"], {
      cwd,
      context: broken,
    });
    expect(failed.exitCode).toBe(1);
    expect(await readdir(cwd)).toEqual(["a.tar"]);
    const local = await command(["--iidfile", "id", "-o", "out"], { cwd });
    expect(local.exitCode).toBe(1);
    expect(local.stderr).toContain("local and tar exporters are incompatible with image ID file");
  });
});
