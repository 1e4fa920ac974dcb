import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { inspect, promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type BuildError,
  type BuildEvent,
  Builder,
  type Connection,
  build,
  connect,
  files,
  isSlipwayError,
  parseOutput,
} from "../../src/index.js";

const run = promisify(execFile);
const registry = process.env["TESTBED_REGISTRY"] ?? "";

let builder: Builder;
let connection: Connection;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "slipway-library-"));
  builder = await Builder.ensure({ name: "library", driverOpts: { network: "host" } });
  connection = await connect({ builder });
});

afterAll(async () => {
  await connection?.close();
  await builder?.remove();
  await rm(scratch, { recursive: true, force: true });
});

const hello = files({
  Dockerfile: "FROM scratch\nCOPY hello /\n",
  hello: "hi\n",
  "bin/run": { content: "#!/bin/sh\n", mode: 0o755 },
});

describe("the library", () => {
  test("builds a context from memory into several outputs, and tells digests, platforms and layers", async () => {
    const chunks: Buffer[] = [];
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk);
        done();
      },
    });
    const result = await connection.build({
      context: hello,
      tags: ["hello:1"],
      outputs: [
        { type: "tar", dest: sink },
        parseOutput(`type=oci,dest=${join(scratch, "out", "hello.tar")}`),
        { type: "local", dest: join(scratch, "tree") },
      ],
    });
    expect(Buffer.concat(chunks).includes("hello")).toBe(true);
    expect(await readFile(join(scratch, "tree", "hello"), "utf8")).toBe("hi\n");
    expect((await readFile(join(scratch, "out", "hello.tar"))).includes("oci-layout")).toBe(true);
    expect(result.digest).toMatch(/^sha256:/);
    expect(result.imageId).toMatch(/^sha256:/);
    expect(result.names).toEqual(["docker.io/library/hello:1"]);
    expect(result.platforms).toHaveLength(1);
    expect(result.platforms[0]?.layers[0]?.size).toBeGreaterThan(0);
    expect(result.metadata["containerimage.digest"]).toBe(result.digest);
  });

  test("SEC-16 passes secrets from memory and from a callback, and keeps them out of errors", async () => {
    const asked: string[] = [];
    const failing = connection.build({
      context: files({
        Dockerfile:
          "FROM busybox\nRUN --mount=type=secret,id=a --mount=type=secret,id=b cat /run/secrets/a /run/secrets/b; exit 7\n",
      }),
      noCache: true,
      secrets: {
        a: "s3cret-value",
        b: () => {
          asked.push("b");
          return "from-callback";
        },
      },
    });
    const error = (await failing.catch((thrown: unknown) => thrown)) as BuildError;
    expect(isSlipwayError(error, "BUILD_FAILED")).toBe(true);
    expect(asked).toEqual(["b"]);
    expect(error.step).toMatchObject({ exitCode: 7 });
    expect(error.step?.log.join("\n")).toMatch(/^\*+$/);
    expect(`${error.explain()}${inspect(error, { depth: 9 })}`).not.toMatch(/from-callback|s3cret-value/);
    expect(error.sources[0]?.info.filename).toBe("Dockerfile");
    expect(error.sources[0]?.ranges[0]?.start.line).toBe(2);
  });

  test("tells its events typed, with one end, also when the build fails", async () => {
    const events: BuildEvent[] = [];
    const onEvent = (event: BuildEvent) => void events.push(event);
    await connection.build({ context: hello, outputs: [{ type: "cacheonly" }], onEvent });
    await connection
      .build({ context: files({ Dockerfile: "FROM busybox\nRUN exit 1\n" }), onEvent })
      .catch(() => {});
    expect(events.filter(({ type }) => type === "end")).toHaveLength(2);
    expect(events.some((event) => event.type === "status" && event.vertexes.length > 0)).toBe(true);
    expect(events).toContainEqual(
      expect.objectContaining({
        type: "message",
        text: expect.stringContaining("No output specified") as string,
      }),
    );
  });

  test("pushes with a warm connection, eight builds side by side", async () => {
    const builds = Array.from({ length: 8 }, (_, index) =>
      connection.build({
        context: files({ Dockerfile: "FROM scratch\nCOPY f /\n", f: `content ${index}` }),
        tags: [`${registry}/parallel:${index}`],
        push: true,
      }),
    );
    const digests = (await Promise.all(builds)).map(({ digest }) => digest);
    expect(new Set(digests).size).toBe(8);
    const answer = await fetch(`http://${registry}/v2/parallel/tags/list`);
    expect(((await answer.json()) as { tags: string[] }).tags).toHaveLength(8);
  });

  test("FLT-34 cancelling rejects after tear-down, with the reason as the cause", async () => {
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    const building = connection.build({
      context: files({ Dockerfile: "FROM busybox\nRUN sleep 300\n" }),
      noCache: true,
      signal: controller.signal,
      onEvent(event) {
        const runs =
          event.type === "status" &&
          event.vertexes.some((vertex) => vertex.name.includes("sleep") && vertex.started);
        if (runs) controller.abort(reason);
      },
    });
    await expect(building).rejects.toMatchObject({ name: "AbortError", code: "ABORTED", cause: reason });
    // The connection serves on.
    await connection.build({ context: hello, outputs: [{ type: "cacheonly" }] });
  });

  test.each([
    [{ context: "/nowhere/context" }, "INVALID_ARGUMENT", 'path "/nowhere/context" not found'],
    [{ context: hello, network: "bogus" }, "INVALID_ARGUMENT", "network mode"],
    [{ context: hello, push: true }, "INVALID_ARGUMENT", "tag is needed when pushing"],
    [{ context: hello, builder: "nobody" }, "STORE_NO_BUILDER", 'no builder "nobody" found'],
  ])("a wrong option is named: %j", async (options, code, message) => {
    const error = await build({ builder: "library", ...options }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) as string });
  });

  test("a process that used it ends by itself", async () => {
    const entry = join(scratch, "once.ts");
    const bundle = join(scratch, "once.mjs");
    const source = `
      import { build, files } from ${JSON.stringify(join(import.meta.dirname, "../../src/index.ts"))};
      const result = await build({ builder: "library", context: files({ Dockerfile: "FROM scratch\\nCOPY f /\\n", f: "1" }), outputs: [{ type: "cacheonly" }] });
      console.log(result.ref);
    `;
    await writeFile(entry, source);
    const { build: esbuild } = await import("esbuild");
    await esbuild({
      entryPoints: [entry],
      outfile: bundle,
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20",
      banner: {
        js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
      },
    });
    const { stdout } = await run(process.execPath, [bundle], { timeout: 60_000 });
    expect(stdout).toMatch(/^library\/library0\/\w{25}\n$/);
  });
});

test("a builder can be removed by several at once", async () => {
  const name = "library-removed";
  const one = await Builder.ensure({ name, driverOpts: { network: "host" } });
  await one.boot();
  await Promise.all([one.remove(), one.remove(), one.remove()]);
  await expect(Builder.open({ name })).rejects.toMatchObject({ code: "STORE_NO_BUILDER" });
});

test("a context from memory with other content of the same length is not taken for the old one", async () => {
  for (const text of ["one", "two"]) {
    const context = files({ Dockerfile: "FROM scratch\nCOPY f /\n", f: text });
    await connection.build({ context, outputs: [{ type: "local", dest: join(scratch, "same-length") }] });
    expect(await readFile(join(scratch, "same-length", "f"), "utf8")).toBe(text);
  }
});
