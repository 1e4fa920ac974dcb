import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type BuildEvent,
  type BuildOptions,
  Builder,
  type Connection,
  connect,
  files,
  memory,
  prune,
} from "../../src/index.js";
import { engineEnv } from "../support/engine-env.js";
import { slipway } from "../support/slipway.js";

const { registry } = engineEnv();
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "slipway-cache-mounts-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Tells what is in each cache mount, and puts something there: files of owners and modes, links of both kinds. */
const step = [
  "mkdir -p /found",
  'for dir in "$@"; do (cd "$dir"; stat -c "%u:%g %a" .; find . | sort; cat round 2>/dev/null; stat -c "%u:%g %a" round 2>/dev/null; true) >"/found/$(basename "$dir")"; done',
  'for dir in "$@"; do echo "$ROUND" >"$dir/round"; chown 33:44 "$dir/round"; chmod 640 "$dir/round"; ln -sf /etc/passwd "$dir/link"; ln -f "$dir/round" "$dir/hard"; done',
].join("\n");

const mounts = [
  "target=/plain",
  "id=id-$NAME,target=/named,sharing=locked",
  "target=/private,sharing=private",
  "target=/owned,uid=1000,gid=1001,mode=0750",
  "target=relative",
  "target=/from,from=seed,source=/seed",
].map((mount) => `--mount=type=cache,${mount}`);

const context = files({
  step,
  Dockerfile: [
    "FROM busybox AS seed",
    "RUN mkdir /seed && echo seed >/seed/seed",
    "FROM busybox AS one",
    "WORKDIR /work",
    "ARG NAME=by-arg ROUND",
    `RUN --mount=type=bind,source=step,target=/step ${mounts.join(" ")} sh /step /plain /named /private /owned /work/relative /from`,
    "FROM busybox AS two",
    "ARG ROUND",
    // The mount of another stage, and one of its own.
    "RUN --mount=type=bind,source=step,target=/step --mount=type=cache,target=/two sh /step /two",
    "FROM scratch",
    "COPY --from=one /found /",
    "COPY --from=two /found /",
  ].join("\n"),
});

const titles = ["plain", "named", "private", "owned", "relative", "from", "two"];

/** Builds, and gives what the steps found in each cache mount, and what was said. */
async function run(connection: Connection, round: string, options: Partial<BuildOptions>) {
  const output = memory();
  const said: string[] = [];
  const vertexes = new Map<string, string>();
  const onEvent = (event: BuildEvent) => {
    if (event.type === "message") said.push(event.text);
    if (event.type !== "status") return;
    for (const { digest, name } of event.vertexes) vertexes.set(digest, name);
    for (const { name, vertex } of event.statuses)
      if (vertexes.get(vertex)?.includes("cache mounts")) said.push(name);
  };
  await connection.build({
    context,
    buildArgs: { ROUND: round },
    outputs: [{ type: "tar", dest: output }],
    onEvent,
    ...options,
  });
  const found: Record<string, string> = {};
  for (const [path, { type, content }] of await output.files())
    if (type === "file") found[path] = content.toString();
  return { found, said: [...new Set(said)] };
}

const linesOf = (text: string | undefined) => (text ?? "").trim().split("\n");

describe.each(["moby/buildkit:buildx-stable-1", "moby/buildkit:v0.12.5"])("cache mounts on %s", (image) => {
  const driverOpts = { network: "host", image };
  const builders: Awaited<ReturnType<typeof Builder.ephemeral>>[] = [];
  const connections: Connection[] = [];
  let dir: string;

  beforeAll(async () => {
    dir = join(scratch, image.replaceAll(/[/:]/g, "-"), "made", "by-the-build");
    for (const _ of [0, 1]) {
      const builder = await Builder.ephemeral({ driverOpts });
      builders.push(builder);
      connections.push(await connect({ builder }));
    }
  }, 120_000);
  afterAll(async () => {
    for (const one of [...connections, ...builders]) await one.close();
  });

  test("go from one builder into another, with owners, modes and links", async () => {
    const [first, second] = connections as [Connection, Connection];
    const { found } = await run(first, "1", { cacheMounts: { dir } });
    for (const name of titles) expect(linesOf(found[name]).at(-1), name).toMatch(/^\.(\/seed)?$/);
    expect((await readdir(dir)).map((name) => name.replace(/-[0-9a-f]{16}\.tar$/, "")).sort()).toEqual([
      "from",
      "id-by-arg",
      "owned",
      "plain",
      "private",
      "relative",
      "two",
    ]);
    const after = await run(second, "2", { cacheMounts: { dir } });
    for (const name of titles)
      expect(linesOf(after.found[name]).slice(1), name).toEqual([
        ".",
        "./hard",
        "./link",
        "./round",
        ...(name === "from" ? ["./seed"] : []),
        "1",
        "33:44 640",
      ]);
    expect(linesOf(after.found["owned"])[0]).toBe("1000:1001 750");
    expect(after.said.slice(0, 7).sort()).toEqual([
      "/from",
      "/owned",
      "/plain",
      "/private",
      "/two",
      "id-by-arg",
      "relative",
    ]);
  }, 120_000);
});

describe("cache mounts of one builder", () => {
  let builder: Awaited<ReturnType<typeof Builder.ephemeral>>;
  let connection: Connection;
  let dir: string;
  let count = 0;

  beforeAll(async () => {
    builder = await Builder.ephemeral({ driverOpts: { network: "host" } });
    connection = await connect({ builder });
  }, 120_000);
  afterAll(async () => {
    await connection?.close();
    await builder?.close();
  });

  /** A directory of its own for each test. */
  const newDir = () => (dir = join(scratch, `dir${count++}`));
  /** The builder forgets what is in its cache mounts. */
  async function forget() {
    for await (const _ of prune({ builder, all: true, filter: ["type==exec.cachemount"] }));
  }
  /** A build with one cache mount, whose step runs a command there after it has told what it found. */
  const one = (command: string, options: Partial<BuildOptions> & { from?: string; mount?: string } = {}) => {
    const { from = "busybox", mount = "", ...rest } = options;
    const Dockerfile = [
      `FROM ${from} AS one`,
      "ARG ROUND",
      `RUN --mount=type=cache,target=/${dir.slice(-4)}${mount} ["/bin/sh", "-c", "cd /${dir.slice(-4)}; echo *; ${command}"]`,
    ].join("\n");
    const log: Buffer[] = [];
    const said: string[] = [];
    const onEvent = (event: BuildEvent) => {
      if (event.type === "message") said.push(event.text);
      if (event.type === "status") for (const { data } of event.logs) log.push(Buffer.from(data));
    };
    const building = connection.build({
      context: files({ Dockerfile }),
      cacheMounts: { dir },
      buildArgs: { ROUND: String(count++) },
      outputs: [{ type: "cacheonly" }],
      onEvent,
      ...rest,
    });
    return building.then(
      () => ({ log: Buffer.concat(log).toString(), said }),
      (error: Error) => ({ log: Buffer.concat(log).toString(), said, error }),
    );
  };
  const theFile = async () => join(dir, (await readdir(dir)).find((name) => name.endsWith(".tar")) ?? "none");

  test("that have something in them stay as they are, and are made anew without cache", async () => {
    newDir();
    await one("echo 1 >a");
    await forget();
    await one("rm *; echo 2 >b");
    expect((await one("true")).log).toContain("b");
    const saved = await readFile(await theFile());
    await forget();
    // A step without cache begins with none, and its result is what is saved.
    const anew = await one("echo 3 >c", { noCache: true });
    expect(anew.log).toContain("*");
    expect(anew.said).toEqual([expect.stringMatching(/^BuildKit makes cache mounts anew .*: \/dir\d+$/)]);
    expect((await readFile(await theFile())).equals(saved)).toBe(false);
    await forget();
    expect((await one("true")).log).toContain("c");
  }, 60_000);

  test("of a build that fails are saved as well, and those of one whose result is opened", async () => {
    newDir();
    const failed = await one("echo 1 >a; exit 3", { onFailure: "keep" });
    expect(failed).toMatchObject({ error: { code: "BUILD_FAILED" } });
    const { error } = failed as unknown as {
      error: { files: { exec: (argv: string[]) => Promise<{ stdout: Buffer }> } } & AsyncDisposable;
    };
    expect((await error.files.exec(["echo", "kept"])).stdout.toString()).toBe("kept\n");
    await error[Symbol.asyncDispose]();
    await forget();
    const Dockerfile = `FROM busybox\nRUN --mount=type=cache,target=/${dir.slice(-4)} cp /${dir.slice(-4)}/a /found; echo 2 >/${dir.slice(-4)}/b\n`;
    const result = await connection.openResult({ context: files({ Dockerfile }), cacheMounts: { dir } });
    expect((await result.readFile("/found")).toString()).toBe("1\n");
    await result.close();
    expect(
      execFileSync("tar", ["-tf", await theFile()])
        .toString()
        .split("\n")
        .sort(),
    ).toEqual(["", "./", "./a", "./b"]);
  }, 60_000);

  test("whose images have no tar are handled by busybox, or by the image that is given", async () => {
    newDir();
    const name = `${registry}/no-tar:1`;
    await connection.build({
      context: files({ Dockerfile: "FROM scratch\nCOPY --from=busybox /bin/busybox /bin/sh\n" }),
      tags: [name],
      push: true,
    });
    expect(await one("echo 1 >a", { from: name })).toEqual({ log: "*\n", said: [] });
    await forget();
    expect(await one("true", { from: name })).toEqual({ log: "a\n", said: [] });
    const { error } = (await one("true", { cacheMounts: { dir, image: name } })) as { error?: Error };
    expect(error).toMatchObject({ code: "CACHE_MOUNT" });
    expect(error?.message).toMatch(/no-tar:1: .* an image that has tar and ls can be given/);
    expect((await readdir(dir)).length).toBe(1);
  }, 60_000);

  test("whose files are none are warned of and replaced; links are not followed", async () => {
    newDir();
    await one("echo 1 >a");
    const path = await theFile();
    const outside = join(scratch, "outside");
    await writeFile(outside, "outside");
    const puts = {
      link: () => symlink(outside, path),
      pipe: () => Promise.resolve(void execFileSync("mkfifo", [path])),
      truncated: () => writeFile(path, Buffer.alloc(700, 1)),
    };
    for (const [what, put] of Object.entries(puts)) {
      await rm(path);
      await put();
      await forget();
      const { said, log } = await one("echo 2 >b");
      expect(said, what).toEqual([expect.stringMatching(/^cache mount .* is not filled: cannot read .*: /)]);
      expect(log, what).toContain("*");
      expect((await stat(path)).isFile(), what).toBe(true);
    }
    expect(await readFile(outside, "utf8")).toBe("outside");
    await rm(path);
    await mkdir(path);
    expect(await one("true")).toMatchObject({
      error: { code: "FS_WRITE", message: expect.stringContaining(path) as string },
    });
  }, 60_000);

  test("go into one directory from builds that run at once, and from a cancelled one not at all", async () => {
    newDir();
    const results = await Promise.all([1, 2, 3].map((n) => one(`head -c 3000000 /dev/urandom >${n}`)));
    for (const result of results) expect(result).not.toHaveProperty("error");
    expect(await readdir(dir)).toHaveLength(1);
    expect(execFileSync("tar", ["-tf", await theFile()]).toString()).toContain("./");
    const before = (await stat(await theFile())).mtimeMs;
    const cancel = new AbortController();
    const building = one("echo x; sleep 60", { signal: cancel.signal });
    setTimeout(() => cancel.abort(), 1500);
    expect(await building).toMatchObject({ error: { code: "ABORTED" } });
    expect((await stat(await theFile())).mtimeMs).toBe(before);
    expect(await readdir(dir)).toHaveLength(1);
  }, 60_000);

  test("of 20 MB in 200 files are carried in a moment, by the command", async () => {
    newDir();
    const context = join(scratch, "large");
    await mkdir(context);
    const env = { BUILDX_BUILDER: builder.name };
    const build = async (command: string) => {
      await writeFile(
        join(context, "Dockerfile"),
        `FROM busybox\nARG ROUND=${count++}\nRUN --mount=type=cache,target=/large cd /large; ${command}\n`,
      );
      return slipway(
        ["build", "--cache-mounts", dir, "-o", "type=cacheonly", "--progress", "plain", context],
        { env },
      );
    };
    const seconds = (log: string, what: string) => {
      const [, step = "none"] =
        new RegExp(`^#(\\d+) \\[internal\\] ${what} cache mounts`, "m").exec(log) ?? [];
      return Number(new RegExp(`^#${step} DONE ([\\d.]+)s`, "m").exec(log)?.[1]);
    };
    const first = await build("for n in $(seq 200); do head -c 104857 /dev/urandom >$n; done");
    expect(first.exitCode, first.stderr).toBe(0);
    await forget();
    const second = await build("ls | wc -l");
    expect(second.stderr).toMatch(/^#\d+ [\d.]+ 200$/m);
    const times = { out: seconds(first.stderr, "saving"), in: seconds(second.stderr, "filling") };
    console.log(`20 MB in 200 files: ${JSON.stringify(times)} s`);
    // Of a quiet machine 1 s; what is held here is that it does not grow by orders.
    expect(Math.max(times.in, times.out)).toBeLessThan(15);
  }, 60_000);
});
