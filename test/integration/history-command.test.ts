import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { type Server, createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { extract } from "tar-stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engineEnv } from "../support/engine-env.js";
import { type ClientResult, succeed, twoClients } from "../support/two-clients.js";

/** `history` beside buildx's, on the builds of one builder. */
const { registry, buildx: oracle } = engineEnv();
let work: string;
const builder = "history-command";
const clients = () => twoClients(oracle ?? "", { BUILDX_BUILDER: builder, HOME: work, TZ: "Asia/Kolkata" });

beforeAll(async () => {
  work = await mkdtemp(path.join(tmpdir(), "slipway-history-"));
  const context = path.join(work, "app");
  await mkdir(context);
  await writeFile(
    path.join(context, "Dockerfile"),
    "FROM busybox AS base\nARG A\nRUN echo '<$A>' && true\nFROM base\nLABEL a=b\n",
  );
  await writeFile(path.join(context, "Bad"), "FROM busybox\nRUN seq 1 30 && echo oops >&2 && false\n");
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=me", "-c", "user.email=me@example.com", ...args], { cwd: context });
  git("init", "--quiet");
  git("add", "Dockerfile");
  git("commit", "--quiet", "--message", "one");
  git("remote", "add", "origin", "https://example.com/me/app.git");
  const { slipway } = clients();
  await succeed(slipway, ["create", "--name", builder, "--driver-opt", "network=host", "--bootstrap"]);
  const build = (...args: string[]) =>
    slipway.run(["build", "--progress", "quiet", ...args], { cwd: context });
  const image = ["-o", `type=image,name=${registry}/history:2,push=true`];
  const results = [
    await build(
      "--target",
      "base",
      "--build-arg",
      "A=1",
      "--label",
      "k=v",
      "--no-cache",
      "--shm-size",
      "64m",
      ".",
    ),
    await build("-f", "Bad", "."),
    await build("--platform", "linux/amd64,linux/arm64", "--provenance", "mode=max", ...image, "."),
  ];
  expect(
    results.map(({ exitCode }) => exitCode),
    results[2]?.stderr,
  ).toEqual([0, 1, 0]);
});

afterAll(async () => {
  await clients().slipway.run(["rm", "-f", builder]);
  await rm(work, { recursive: true, force: true });
});

/** Both clients' answers; times that pass while they are asked are made the same. */
async function both(
  ...args: string[]
): Promise<Record<"slipway" | "buildx", ClientResult & { text: string }>> {
  const { slipway, buildx } = clients();
  const [ours, theirs] = await Promise.all(
    [slipway, buildx].map((client) => client.run(["history", ...args], { cwd: path.join(work, "app") })),
  );
  const plain = (result: ClientResult | undefined) => {
    if (!result) throw new Error("no result");
    const text = result.stdout
      .toString()
      .replace(/(Less than a second|\d+ seconds?|About a minute|\d+ minutes) ago */g, "AGO ")
      .replace(/CREATED AT */, "CREATED AT ")
      .replace("docker buildx history", "slipway history")
      .replace(/^View build in Docker Desktop: .*\n/m, "");
    return { ...result, text };
  };
  return { slipway: plain(ours), buildx: plain(theirs) };
}

describe.skipIf(!oracle)("as buildx does", () => {
  test.each([
    [["ls"]],
    [["ls", "--no-trunc"]],
    [["ls", "--local"]],
    [["ls", "--filter", "repository=example.com", "--format", "{{.Name}}"]],
    [["ls", "--filter", "status=error"]],
    [["ls", "--filter", "status!=error", "--filter", "duration<1h"]],
    [["ls", "--format", "json"]],
    [["ls", "--format", "{{.FullRef}} {{.Name}} {{.Status}} {{.Duration}} {{.Link}}"]],
    [["ls", "--format", "table {{.Name}}\t{{.Status}}"]],
    [["inspect"]],
    [["inspect", "^0"]],
    [["inspect", "^1"]],
    [["inspect", "^2"]],
    [["inspect", "^0", "--format", "json"]],
    [["inspect", "^2", "--format", "json"]],
    [
      [
        "inspect",
        "^2",
        "--format",
        "{{.Name}} {{range .BuildArgs}}{{.Name}}={{.Value}}{{end}} {{.Config.ShmSize}}",
      ],
    ],
    [["inspect", "attachment", "^0", "--type", "index"]],
    [["inspect", "attachment", "^0", "--type", "provenance", "--platform", "linux/arm64"]],
    [["inspect", "attachment", "^0", "--type", "manifest"]],
  ])("%j", async (args) => {
    const { slipway, buildx } = await both(...args);
    expect(slipway.stderr).toBe("");
    expect(slipway.text).toBe(buildx.text);
    expect(slipway.exitCode).toBe(0);
  });

  test("inspect of a failed build as JSON, but for buildx's own stack", async () => {
    const { slipway, buildx } = await both("inspect", "^1", "--format", "json");
    const read = ({ text }: { text: string }) => {
      const { Error: error, ...rest } = JSON.parse(text) as { Error: { Stack: string } };
      const { Stack, ...details } = error;
      return { ...rest, details, hasStack: Buffer.from(Stack, "base64").toString().includes("buildkitd") };
    };
    expect(read(slipway)).toEqual(read(buildx));
    expect(read(slipway).hasStack).toBe(true);
  });

  test("logs, plain and as JSON", async () => {
    for (const ref of ["^0", "^1", "^2"]) {
      const { slipway, buildx } = await both("logs", ref);
      expect(stepsOf(slipway)).toEqual(stepsOf(buildx));
      expect(slipway.exitCode).toBe(buildx.exitCode);
    }
    const raw = await both("logs", "^1", "--progress", "rawjson");
    const digests = ({ stderr }: ClientResult) =>
      [...stderr.matchAll(/"digest":"([^"]+)"/g)].map(([, digest]) => digest);
    expect(digests(raw.slipway)).toEqual(digests(raw.buildx));
  });

  test("trace", async () => {
    const { slipway, buildx } = await both("trace", "^1");
    expect(JSON.parse(slipway.text)).toEqual(JSON.parse(buildx.text));
    const file = path.join(work, "trace.json");
    await succeed(clients().slipway, ["history", "trace", "^1", "-o", file]);
    expect(await readFile(file, "utf8")).toBe(slipway.text);
  });

  test("export, of one record and of all", async () => {
    // A trace grows until it is written down.
    for (const ref of ["^0", "^1", "^2"])
      await succeed(clients().slipway, [
        "history",
        "export",
        ref,
        "--finalize",
        "-o",
        path.join(work, "one"),
      ]);
    for (const args of [["^0", "--finalize"], ["--all"], ["^1", "^2"]]) {
      const { slipway, buildx } = await both("export", ...args);
      expect(slipway.stderr).toBe("");
      expect(await bundle(slipway.stdout)).toEqual(await bundle(buildx.stdout));
    }
    const file = path.join(work, "all.dockerbuild");
    await succeed(clients().slipway, ["history", "export", "--all", "-o", file]);
    expect((await bundle(await readFile(file))).records).toHaveLength(3);
  });

  test.each([
    [["ls", "--filter", "nosuch=1"], 'unsupported filter "nosuch=1"'],
    [["ls", "--filter", "status"], 'invalid filter "status"'],
    [["ls", "--filter", "startedAt=1h"], "expected <=, <, >= or >"],
    [["inspect", "nosuch"], 'no record found for ref "nosuch"'],
    [["inspect", "^7"], "no completed build found with offset 4"],
    [["logs", "^x"], 'invalid offset "^x"'],
    [["logs", "--progress", "nosuch"], "invalid progress mode nosuch"],
    [["logs", "--progress", "tty"], "failed to get console"],
    [["rm"], "rm requires at least one argument"],
    [["rm", "--all", "x"], "rm requires either --all or at least one argument"],
    [["inspect", "attachment", "^0"], "at least one of --type, --platform or DIGEST must be specified"],
    [["inspect", "attachment", "^0", "sha256:0"], 'invalid digest "sha256:0"'],
    [["inspect", "attachment", "^0", "--type", "sbom"], 'no matching attachment found for ref "^0"'],
    [["inspect", "attachment", "^0", `sha256:${"0".repeat(64)}`], "not found"],
    [["inspect", "^0", "--format", "{{.Nosuch}}"], "can't evaluate field Nosuch"],
    [["export", "^0", "--all"], "cannot specify refs when using --all"],
    [["import", "-f", "/proc/nosuch/file"], "failed to open file /proc/nosuch/file"],
  ])("%j is refused", async (args, message) => {
    const { slipway, buildx } = await both(...args);
    expect(slipway.stderr).toContain(message);
    expect(buildx.stderr).toContain(message);
    expect([slipway.exitCode, slipway.text]).toEqual([buildx.exitCode, ""]);
  });
});

describe("of its own", () => {
  const run = (...args: string[]) => clients().slipway.run(["history", ...args]);

  test("a whole ref finds its build, another builder's does not", async () => {
    const { stdout } = await run("ls", "--format", "{{.FullRef}}");
    const [newest = ""] = stdout.toString().split("\n");
    const { stdout: shown } = await run("inspect", newest, "--format", "{{.Ref}}");
    expect(newest.endsWith(`/${shown.toString().trim()}`)).toBe(true);
    const { exitCode, stderr } = await run("inspect", newest.replace(builder, "other"));
    expect(exitCode).toBe(1);
    expect(stderr).toContain("is of builder other, not of history-command; choose it with --builder");
  });

  test("open says what it needs, and what there is instead", async () => {
    const { exitCode, stderr } = await run("open", "^0");
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^ERROR: history open shows builds in Docker Desktop, which is not here; .* inspect \w+\n/,
    );
  });

  test("an output in a directory that is not there is refused before anything is asked", async () => {
    const { slipway, buildx } = await both("export", "^0", "-o", "/proc/nosuch/file");
    expect(slipway.stderr).toContain(
      "cannot write output file /proc/nosuch/file: there is no directory /proc/nosuch",
    );
    expect([slipway.exitCode, slipway.text]).toEqual([buildx.exitCode, ""]);
  });

  test("--local asks for a repository with a remote", async () => {
    const { exitCode, stderr } = await clients().slipway.run(["history", "ls", "--local"], { cwd: work });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`could not get remote URL for local filter: ${work} is not in a git repository`);
  });

  test("the trace UI is refused by name; its address is taken, as it means nothing without a terminal", async () => {
    const compared = await run("trace", "--compare=^1");
    expect(compared.exitCode).toBe(1);
    expect(compared.stderr).toContain("--compare is for the trace UI that slipway does not have");
    const addressed = await run("trace", "--addr=127.0.0.1:0");
    expect(addressed.exitCode).toBe(0);
  });

  test("a bundle that cannot be made whole leaves no file", async () => {
    const file = path.join(work, "nosuch.dockerbuild");
    const { exitCode } = await run("export", "nosuch", "-o", file);
    expect(exitCode).toBe(1);
    await expect(access(file)).rejects.toThrow("ENOENT");
    expect((await readdir(work)).filter((name) => name.includes(".tmp-"))).toEqual([]);
  });

  test("import hands bundles to Docker Desktop, and says when it is not there", async () => {
    const { exitCode, stderr } = await run("import");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("history import hands bundles to Docker Desktop, which does not answer at");
    await using desktop = await fakeDesktop(work);
    const input = (await run("export", "^0")).stdout;
    const taken = await clients().slipway.run(["history", "import"], { input });
    expect([taken.exitCode, taken.stderr]).toEqual([
      0,
      "docker-desktop://dashboard/build/.imported/_/one\ndocker-desktop://dashboard/build/.imported/_/two\n",
    ]);
    expect(desktop.uploads).toEqual([input]);
    desktop.refuse("no such thing");
    const refused = await clients().slipway.run(["history", "import"], { input });
    expect([refused.exitCode, refused.stderr]).toEqual([1, "ERROR: failed to import build: no such thing\n"]);
  });

  test("rm removes what it is told, then all", async () => {
    const ids = async () =>
      (await run("ls", "--format", "{{.Ref}}")).stdout.toString().split("\n").filter(Boolean);
    const [, second, third] = await ids();
    await succeed(clients().slipway, ["history", "rm", second ?? ""]);
    expect(await ids()).toContain(third);
    expect(await ids()).not.toContain(second);
    await succeed(clients().slipway, ["history", "rm", "--all"]);
    expect(await ids()).toEqual([]);
    const { exitCode, stderr } = await run("inspect");
    expect([exitCode, stderr]).toEqual([1, "ERROR: no records found\n"]);
  });
});

interface BundleManifest {
  mediaType: string;
  digest: string;
  annotations?: Record<string, string>;
  manifests?: BundleManifest[];
  config?: { mediaType: string; digest: string };
  layers?: { digest: string }[];
}

/** What a bundle says; buildx puts layers of several platforms in any order. */
async function bundle(bytes: Buffer) {
  const entries = new Map<string, { type: string | undefined; mode: number | undefined; text: string }>();
  const tar = extract();
  tar.end(gunzipSync(bytes));
  for await (const entry of tar) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    const { name, mode, type } = entry.header;
    entries.set(name, { mode, type, text: Buffer.concat(chunks).toString("latin1") });
  }
  const blob = (digest: string) => entries.get(`blobs/${digest.replace(":", "/")}`);
  const read = (digest: string) => JSON.parse(blob(digest)?.text ?? "") as BundleManifest;
  const { manifests: [root] = [] } = JSON.parse(entries.get("index.json")?.text ?? "") as BundleManifest;
  const top = read(root?.digest ?? "");
  const records = (top.manifests ?? [root as BundleManifest]).map((descriptor) => {
    const { config, layers = [], ...rest } = read(descriptor.digest);
    return {
      ...rest,
      annotations: descriptor.annotations,
      config: config && { type: config.mediaType, text: blob(config.digest)?.text },
      layers: layers
        .map((layer) => ({ ...layer, content: blob(layer.digest)?.text }))
        .sort((a, b) => (a.digest < b.digest ? -1 : 1)),
    };
  });
  const forms = [...entries].map(
    ([name, { type, mode }]) => `${type} ${mode} ${name.replace(/[0-9a-f]{64}/, "")}`,
  );
  return { type: root?.mediaType, records, forms, layout: entries.get("oci-layout")?.text };
}

/** What answers at Docker Desktop's socket below a home directory. */
async function fakeDesktop(home: string) {
  const directory = path.join(home, ".docker", "desktop");
  await mkdir(directory, { recursive: true });
  const uploads: Buffer[] = [];
  let refusal: string | undefined;
  const server: Server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      if (refusal !== undefined) return response.writeHead(400).end(refusal);
      uploads.push(Buffer.concat(chunks));
      return response.end('["one","two"]');
    })();
  });
  server.listen(path.join(directory, "docker-desktop-build.sock"));
  await once(server, "listening");
  return {
    uploads,
    refuse: (text: string) => (refusal = text),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** What a log says of each step, without its times, which may be rounded otherwise, and its number: steps that begin together come in any order. */
function stepsOf({ stderr }: ClientResult): string[] {
  const steps = new Map<string, string[]>();
  for (const line of stderr.replace(/(^| )\d+\.\d+s?\b/gm, "").split("\n")) {
    const [, number = "", text = line] = /^(#\d+)(.*)$/.exec(line) ?? [];
    steps.set(number, [...(steps.get(number) ?? []), text]);
  }
  return [...steps.values()].map((lines) => lines.join("\n")).toSorted((a, b) => (a < b ? -1 : 1));
}
