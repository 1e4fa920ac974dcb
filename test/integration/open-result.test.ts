import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type BuildError,
  Builder,
  type Connection,
  type OpenResult,
  connect,
  files,
  isSlipwayError,
  memory,
  openResult,
} from "../../src/index.js";
import { build } from "../../src/index.js";

let builder: Builder;
let connection: Connection;
let result: OpenResult;

const context = files({
  Dockerfile: [
    "FROM busybox",
    "ENV GREETING=hello",
    "WORKDIR /srv",
    "RUN mkdir -p /etc/app && echo app:x:1000:1000::/:/bin/sh >>/etc/passwd && echo port=80 >/etc/app/app.conf && ln -s app.conf /etc/app/link && head -c 9000000 /dev/zero >/big && chmod 4755 /etc/app/app.conf",
    "USER app",
    "",
  ].join("\n"),
});

beforeAll(async () => {
  builder = await Builder.ensure({ name: "open-result", driverOpts: { network: "host" } });
  connection = await connect({ builder });
  result = await connection.openResult({ context });
}, 120_000);

afterAll(async () => {
  await result?.close();
  await connection?.close();
  await builder?.remove();
});

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => "no error",
    (error: Error & { code?: string }) => error.code ?? error.message,
  );

describe("files of a result", () => {
  test("are read, whole and in part, listed and told of", async () => {
    expect((await result.readFile("/etc/app/app.conf")).toString()).toBe("port=80\n");
    expect((await result.readFile("/etc/app/link")).toString()).toBe("port=80\n");
    expect((await result.readFile("/etc/app/app.conf", { offset: 5, length: 2 })).toString()).toBe("80");
    expect((await result.readFile("/big")).length).toBe(9_000_000);
    const entries = await result.readDir("/etc/app");
    expect(entries.map(({ name, type, target }) => ({ name, type, target }))).toEqual([
      { name: "app.conf", type: "file", target: undefined },
      { name: "link", type: "symlink", target: "app.conf" },
    ]);
    const entry = await result.stat("/etc/app/app.conf");
    expect(entry).toMatchObject({ name: "app.conf", type: "file", mode: 0o4755, size: 8, uid: 0 });
    expect(Math.abs(entry.mtime.getTime() - Date.now())).toBeLessThan(3_600_000);
  });

  test("that are not there, and directories, are told by name", async () => {
    await expect(result.readFile("/nowhere/x")).rejects.toThrow(
      /^\/nowhere\/x cannot be read from the result/,
    );
    await expect(result.readFile("/etc/app")).rejects.toThrow("/etc/app in the result is a directory");
    expect(await code(result.readDir("/nowhere"))).toBe("RESULT_FILE");
    expect(await code(result.stat("/nowhere"))).toBe("RESULT_FILE");
    expect(await code(result.stat("/etc", { platform: "linux/arm64" }))).toBe("no error");
  });
});

describe("commands in a result", () => {
  test("run with the image's environment, directory and user, each in a container of its own", async () => {
    const told = await result.exec(
      ["sh", "-c", "echo $GREETING $EXTRA; pwd; id -un; echo oops >&2; touch /tmp/x; exit 3"],
      {
        env: { EXTRA: "there" },
      },
    );
    expect(told).toEqual({
      exitCode: 3,
      stdout: Buffer.from("hello there\n/srv\napp\n"),
      stderr: Buffer.from("oops\n"),
    });
    const other = await result.exec(["sh", "-c", "pwd; id -un; ls /tmp"], { cwd: "/etc", user: "root" });
    expect(other.stdout.toString()).toBe("/etc\nroot\n");
  });

  test("get input, and a terminal with a size", async () => {
    const input = new PassThrough();
    input.end("b\na\n");
    expect((await result.exec(["sort"], { stdin: input })).stdout.toString()).toBe("a\nb\n");
    expect((await result.exec(["cat"], { stdin: "x".repeat(300_000) })).stdout.length).toBe(300_000);
    const sized = await result.exec(["sh", "-c", "sleep 0.3; stty size"], { tty: { columns: 91, rows: 17 } });
    expect(sized.stdout.toString().trim()).toBe("17 91");
  });

  test("run side by side; what cannot be started, prints too much or is cancelled is told", async () => {
    const many = await Promise.all(
      [1, 2, 3, 4].map((n) => result.exec(["sh", "-c", `sleep 0.2; echo ${n}`])),
    );
    expect(many.map(({ stdout }) => stdout.toString().trim())).toEqual(["1", "2", "3", "4"]);
    const unknown = await result.exec(["/no/such/program"]);
    expect(unknown.exitCode).not.toBe(0);
    expect(unknown.stderr.toString()).toContain("no such file or directory");
    expect(await code(result.exec([]))).toBe("INVALID_ARGUMENT");
    await expect(result.exec(["cat", "/big"], { maxOutput: 1000 })).rejects.toThrow("more than 1000 bytes");
    const cancel = new AbortController();
    const began = result.exec(["sleep", "600"], { signal: cancel.signal });
    setTimeout(() => cancel.abort(), 200);
    expect(await code(began)).toBe("ABORTED");
    expect((await result.exec(["echo", "still"])).stdout.toString()).toBe("still\n");
  });

  test("write to streams with back-pressure; one that breaks ends the command", async () => {
    let bytes = 0;
    const slow = new Writable({
      highWaterMark: 1024,
      write(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        setImmediate(done);
      },
    });
    expect(await result.exec(["cat", "/big"], { stdout: slow })).toMatchObject({ exitCode: 0 });
    expect(bytes).toBe(9_000_000);
    const broken = new Writable({ write: (_chunk, _encoding, done) => done(new Error("the disk is full")) });
    await expect(result.exec(["cat", "/big"], { stdout: broken })).rejects.toThrow("the disk is full");
  });
});

describe("an export of a result", () => {
  test("is what was looked into: nothing is run or sent again", async () => {
    const directory = await mkdtemp(join(tmpdir(), "slipway-open-"));
    try {
      await writeFile(
        join(directory, "Dockerfile"),
        "FROM busybox\nCOPY in /in\nRUN head -c 16 /dev/urandom >/random\n",
      );
      await writeFile(join(directory, "in"), "before");
      await using opened = await connection.openResult({
        context: directory,
        noCache: true,
        tags: ["open-result:1"],
      });
      const random = await opened.readFile("/random");
      await writeFile(join(directory, "in"), "after");
      const [tar, layout, steps] = [memory(), join(directory, "layout"), new Set<string>()];
      const [, oci] = await Promise.all([
        opened.export([{ type: "tar", dest: tar }]),
        opened.export([{ type: "oci", dest: layout, attrs: { tar: "false" } }, { type: "docker" }], {
          onEvent(event) {
            if (event.type === "status")
              for (const { name, started, cached } of event.vertexes) if (started && !cached) steps.add(name);
          },
        }),
      ]);
      const contents = await tar.files();
      expect(contents.get("in")?.content.toString()).toBe("before");
      expect(contents.get("random")?.content).toEqual(random);
      expect(oci.names).toEqual(["docker.io/library/open-result:1"]);
      expect(oci.digest).toMatch(/^sha256:/);
      const index = JSON.parse(await readFile(join(layout, "index.json"), "utf8")) as {
        manifests: unknown[];
      };
      expect(index.manifests).toHaveLength(1);
      expect([...steps].filter((name) => /RUN|load build context/.test(name))).toEqual([]);
      // A terminal's input does not end; a command does.
      const open = new PassThrough();
      open.write("line\n");
      expect((await opened.exec(["head", "-n", "1"], { stdin: open })).stdout.toString()).toBe("line\n");
      expect(await opened.copyOut("/etc", join(directory, "etc"))).toBeGreaterThan(0);
      expect(await readFile(join(directory, "etc/passwd"), "utf8")).toContain("root:");
      expect(await opened.copyOut("/random", join(directory, "copy"))).toBe(1);
      expect(await readFile(join(directory, "copy"))).toEqual(random);
      expect(await code(opened.copyOut("/nowhere", join(directory, "no")))).toBe("RESULT_FILE");
      expect(await code(opened.export([]))).toBe("INVALID_ARGUMENT");
      expect(await code(opened.export([{ type: "cacheonly" }]))).toBe("INVALID_ARGUMENT");
      expect(await code(opened.export([{ type: "local", dest: join(directory, "in") }]))).toBe(
        "INVALID_ARGUMENT",
      );
      const broken = new Writable({
        write: (_chunk, _encoding, done) => done(new Error("the disk is full")),
      });
      await expect(opened.export([{ type: "tar", dest: broken }])).rejects.toThrow("the disk is full");
      const stuck = new Writable({ highWaterMark: 1, write() {} });
      const waiting = code(opened.export([{ type: "tar", dest: stuck }]));
      await new Promise((resolve) => setTimeout(resolve, 300));
      await opened.close();
      expect(await waiting).toBe("RESULT_CLOSED");
      expect(await code(opened.export([{ type: "tar", dest: memory() }]))).toBe("RESULT_CLOSED");
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

test("commands get mounts: memory, caches, secrets, other images and the result itself", async () => {
  await using opened = await connection.openResult({
    context: files({ Dockerfile: "FROM scratch\nCOPY a /dir/a\n", a: "text" }),
    secrets: { token: "s3cret" },
  });
  const tools = { type: "image", image: "busybox", target: "/tools", readonly: true } as const;
  const told = await opened.exec(
    [
      "/tools/bin/sh",
      "-c",
      "cat /token /again/a; echo kept >/cache/c; echo x >/mem/x && cat /mem/x; touch /tools/no",
    ],
    {
      env: { PATH: "/tools/bin" },
      mounts: [
        tools,
        { type: "secret", id: "token", target: "/token" },
        { type: "bind", target: "/again", source: "/dir" },
        { type: "cache", target: "/cache", id: "open-result" },
        { type: "tmpfs", target: "/mem", size: 65_536 },
      ],
    },
  );
  expect(told.stdout.toString()).toBe("s3crettextx\n");
  expect(told.stderr.toString()).toContain("Read-only file system");
  const cached = await opened.exec(["/tools/bin/cat", "/cache/c"], {
    mounts: [tools, { type: "cache", target: "/cache", id: "open-result" }],
  });
  expect(cached.stdout.toString()).toBe("kept\n");
  expect(await code(opened.exec(["x"], { mounts: [{ type: "tmpfs", target: "relative" }] }))).toBe(
    "INVALID_ARGUMENT",
  );
  expect(await code(opened.exec(["x"], { mounts: [{ type: "tmpfs" } as never] }))).toBe("INVALID_ARGUMENT");
  await expect(
    opened.exec(["x"], {
      mounts: [{ type: "image", image: "registry.example.com/no/such:1", target: "/t" }],
    }),
  ).rejects.toThrow("registry.example.com/no/such:1");
});

test("several platforms are told apart", async () => {
  await using both = await connection.openResult({
    context: files({
      Dockerfile: "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /which\n",
      amd64: "x86",
      arm64: "arm",
    }),
    platforms: ["linux/amd64", "linux/arm64"],
  });
  expect(both.platforms).toEqual(["linux/amd64", "linux/arm64"]);
  expect((await both.readFile("/which", { platform: "linux/arm64" })).toString()).toBe("arm");
  await expect(both.readFile("/which")).rejects.toThrow("say which by platform (linux/amd64, linux/arm64)");
});

describe("a build that fails", () => {
  const failing = files({
    Dockerfile:
      "FROM busybox\nWORKDIR /work\nENV A=b\nRUN --mount=type=cache,target=/cache echo kept >/cache/c; mkdir /reports; echo '<failure/>' >/reports/junit.xml; exit 7\n",
  });

  test("keeps the step's files when asked to, until the error is closed", async () => {
    const error = await connection.build({ context: failing, onFailure: "keep" }).then(
      () => undefined,
      (failure: BuildError) => failure,
    );
    expect(error).toMatchObject({ code: "BUILD_FAILED", step: { exitCode: 7 } });
    const kept = error?.files;
    expect((await kept?.readFile("/reports/junit.xml"))?.toString()).toBe("<failure/>\n");
    expect((await kept?.readDir("/reports"))?.map(({ name }) => name)).toEqual(["junit.xml"]);
    const seen = await kept?.exec(["sh", "-c", "pwd; echo $A; cat /reports/junit.xml /cache/c"]);
    expect(seen?.stdout.toString()).toBe("/work\nb\n<failure/>\nkept\n");
    await error?.close();
    await error?.close();
    expect(await code(kept?.readFile("/reports/junit.xml") ?? Promise.resolve())).toBe("RESULT_CLOSED");
  });

  test("keeps nothing unless asked to; build() and openResult() of their own connection", async () => {
    const plain = await connection.build({ context: failing }).catch((failure: BuildError) => failure);
    expect((plain as BuildError).files).toBeUndefined();
    await using error = (await build({ builder, context: failing, onFailure: "keep" }).catch(
      (failure: unknown) => failure,
    )) as BuildError;
    expect((await error.files?.readFile("/reports/junit.xml"))?.toString()).toBe("<failure/>\n");
    await using opened = await openResult({ builder, context });
    expect((await opened.readFile("/etc/app/app.conf")).toString()).toBe("port=80\n");
    const good = await connection.build({ context, onFailure: "keep", outputs: [{ type: "cacheonly" }] });
    expect(good.warnings).toEqual([]);
  });
});

test("a result that is closed says so, also to calls under way; outputs are refused", async () => {
  const opened = await connection.openResult({ context });
  const waiting = code(opened.exec(["sleep", "600"]));
  await new Promise((resolve) => setTimeout(resolve, 300));
  await opened.close();
  expect(await waiting).toBe("RESULT_CLOSED");
  expect(await code(opened.readFile("/etc/app/app.conf"))).toBe("RESULT_CLOSED");
  expect(await code(connection.openResult({ context, load: true }))).toBe("INVALID_ARGUMENT");
  const idle = await connection.openResult({ context, idleMilliseconds: 100 });
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(await code(idle.stat("/"))).toBe("RESULT_CLOSED");
  const error = await connection
    .openResult({ context: files({ Dockerfile: "FROM busybox\nRUN false\n" }) })
    .catch((failure: unknown) => failure);
  expect(isSlipwayError(error, "BUILD_FAILED")).toBe(true);
});
