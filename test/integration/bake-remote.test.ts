import { execFile, execFileSync } from "node:child_process";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bake, connect, readBake } from "../../src/index.js";
import { engineEnv } from "../support/engine-env.js";
import { gitServer, makeRepository } from "../support/git-server.js";
import { type HttpTestServer, httpServer } from "../support/http-server.js";
import { Workplace } from "../support/workplace.js";

const definition = `
variable "SUFFIX" { default = "" }
group "default" { targets = ["top", "below"] }
target "top" {}
target "below" {
  context  = "app"
  contexts = { other = "other", all = "." }
}
target "here" {
  context           = "cwd://here"
  dockerfile        = "cwd://here/Dockerfile.here"
}
target "mixed" { dockerfile = "cwd://here/Dockerfile.here" }
target "below-mixed" {
  context    = "app"
  dockerfile = "cwd://here/Dockerfile.here"
}
target "command" {
  context    = BAKE_CMD_CONTEXT
  dockerfile = "Dockerfile.cmd"
  args       = { SAID = BAKE_CMD_CONTEXT }
}
target "outside" { context = "cwd://../outside" }
target "secretive" { secret = ["id=x,src=/etc/passwd"] }
`;
const saying = (text: string) => `FROM scratch\nCOPY file /${text}\n`;
const repositoryFiles = {
  "docker-bake.hcl": definition,
  "more/extra.hcl": 'target "top" { args = { EXTRA = "1" } }',
  Dockerfile: saying("top"),
  file: "top",
  "app/Dockerfile":
    "FROM scratch\nCOPY file /app\nCOPY --from=other file /other\nCOPY --from=all file /all\n",
  "app/file": "app",
  "other/file": "other",
};

let place: Workplace;
let builder: string;
let repositories: HttpTestServer;
let web: HttpTestServer;
const documents = new Map<string, string | Buffer>();

beforeAll(async () => {
  place = await Workplace.open("bake-remote");
  builder = await place.builder("one", "--driver-opt", "network=host", "--use", "--bootstrap");
  const repository = makeRepository(place.path("git", "app.git"));
  repository.commit(repositoryFiles, "first");
  repository.git("checkout", "--quiet", "-b", "nested");
  repository.commit(
    {
      "deep/docker-bake.hcl": 'target "default" { context = "app" }',
      "deep/app/Dockerfile": saying("deep"),
      "deep/app/file": "deep",
    },
    "nested",
  );
  repository.git("checkout", "--quiet", "main");
  makeRepository(place.path("git", "none.git")).commit({ readme: "" }, "nothing to bake");
  repositories = await gitServer(place.path("git"));
  web = await httpServer(({ url }) => {
    const body = documents.get(url);
    return body === undefined ? { status: 404, body: "nothing here" } : { body };
  });
  await mkdir(place.path("here"));
  await writeFile(place.path("here", "Dockerfile.here"), "FROM scratch\nCOPY file /here\n");
  await writeFile(place.path("here", "file"), "here");
  await writeFile(place.path("local.hcl"), 'target "top" { args = { LOCAL = "1" } }');
});
afterAll(async () => {
  await web?.close();
  await repositories?.close();
  await place?.close();
});

const app = () => `${repositories.origin}/app.git`;

interface Said {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** Runs buildx on the same builder. */
async function buildx(args: readonly string[], env: Record<string, string> = {}): Promise<Said> {
  const program = engineEnv().buildx;
  if (!program) throw new Error("TESTBED_BUILDX is not set: run this inside testbed/with");
  return new Promise((resolve) => {
    const options = { cwd: place.dir, env: { ...process.env, ...place.env, ...env } };
    execFile(program, [...args], options, (error, stdout, stderr) =>
      resolve({ exitCode: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

/** What both print, which is to be the same. */
async function printed(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Record<string, unknown>> {
  const ours = await place.run(["bake", "--print", ...args], { env });
  const theirs = await buildx(["bake", "--print", ...args], env);
  const told = ({ exitCode, stdout, stderr }: Said) => (exitCode === 0 ? stdout : stderr);
  expect(told(ours), args.join(" ")).toBe(told(theirs));
  return (JSON.parse(ours.stdout) as { target: Record<string, unknown> }).target;
}

/** The error that both end with. */
async function failure(args: readonly string[], env: Record<string, string> = {}) {
  const ours = await place.run(["bake", "--print", "--progress", "plain", ...args], { env });
  const theirs = await buildx(["bake", "--print", "--progress", "plain", ...args], env);
  expect([ours.exitCode, theirs.exitCode]).toEqual([1, 1]);
  const error = (text: string) => text.slice(text.lastIndexOf("ERROR: ")).trim();
  return { ours: error(ours.stderr), theirs: error(theirs.stderr) };
}

describe("a definition in a git repository", () => {
  test("has its contexts there", async () => {
    expect(await printed([app()])).toMatchObject({
      top: { context: app() },
      below: { context: `${app()}#:app`, contexts: { other: "other", all: "." } },
    });
    await printed([`${app()}#main`, "below"]);
    await printed([`${app()}#nested:deep`]);
    await printed([`${app()}?ref=nested&subdir=deep`]);
    await printed([`${app()}?ref=nested`, "below"]);
    await printed([app(), "-f", "docker-bake.hcl", "-f", "more/extra.hcl", "-f", "cwd://local.hcl", "top"]);
    await printed([app(), "-f", "cwd://local.hcl", "top"]);
    await printed([app(), "mixed", "here", "outside"]);
    await printed([app(), "command"]);
    await printed([app(), `${app()}#nested`, "command"]);
    await printed([app(), "below"], { BUILDX_BAKE_FILE_RELATIVE_PATHS: "1" });
    await printed([`${app()}#nested`, "-f", "deep/docker-bake.hcl"], {
      BUILDX_BAKE_FILE_RELATIVE_PATHS: "1",
    });
  });

  test("fails with the same words", async () => {
    const same = [
      [`${repositories.origin}/none.git`],
      [app(), "-f", "missing.hcl"],
      [app(), "-f", "cwd://missing.hcl"],
      [app(), "-f", "-"],
      [app(), "missing"],
    ];
    for (const args of same) {
      const { ours, theirs } = await failure(args);
      expect(ours, args.join(" ")).toBe(theirs);
    }
    // What goes wrong where it is fetched, buildx tells on the way only.
    const better: [string, RegExp][] = [
      [`${repositories.origin}/missing.git`, /error fetching default branch for repository/],
      [`${app()}#nowhere`, /repository does not contain ref nowhere/],
    ];
    for (const [url, text] of better) {
      const { ours, theirs } = await failure([url]);
      expect(ours).toMatch(text);
      expect(theirs).toBe("ERROR: couldn't find a bake definition");
    }
    expect((await failure([app(), "-f", "app"])).ours).toBe("ERROR: app is not a regular file");
    expect((await failure([`${app()}?reef=main`])).ours).toContain('unexpected query "reef"');
  });

  test("is built with contexts of the repository, and of here", async () => {
    const out = (target: string) => ["--set", `${target}.output=type=local,dest=out/${target}`];
    const run = async (...args: string[]) => {
      const done = await place.run(["bake", "--progress", "plain", app(), ...args]);
      expect(done).toMatchObject({ exitCode: 0 });
      return done.stderr;
    };
    const stderr = await run(
      "below",
      "top",
      "mixed",
      "below-mixed",
      "here",
      ...["below", "top", "mixed", "below-mixed", "here"].flatMap(out),
    );
    expect(stderr).toContain("set context to app");
    expect(stderr).toContain("set context other to other");
    const files = async (target: string) => {
      const names = await readdir(place.path("out", target));
      return Promise.all(
        names.map(async (name) => [name, await readFile(place.path("out", target, name), "utf8")]),
      );
    };
    expect(await files("below")).toEqual([
      ["all", "top"],
      ["app", "app"],
      ["other", "other"],
    ]);
    expect(await files("top")).toEqual([["top", "top"]]);
    expect(await files("mixed")).toEqual([["here", "top"]]);
    expect(await files("below-mixed")).toEqual([["here", "app"]]);
    expect(await files("here")).toEqual([["here", "here"]]);
    expect(await place.run(["bake", "--list", "targets", app()])).toMatchObject({
      stdout: expect.stringContaining("below-mixed"),
    });
  });
});

describe("a definition by http", () => {
  test("is a file, whose contexts are here", async () => {
    documents.set("/some.hcl", 'target "default" { context = "here" }');
    documents.set("/some.json", '{"target": {"default": {"context": "here"}}}');
    documents.set("/compose.yaml", "services: {a: {build: {context: here}}}");
    for (const name of ["some.hcl", "some.json", "compose.yaml"]) await printed([`${web.origin}/${name}`]);
    await printed([`${web.origin}/some.hcl`, "-f", "cwd://local.hcl", "-f", "ignored.hcl", "top"]);
    // buildx stops after 1,024 bytes.
    documents.set("/long.hcl", `# ${"x".repeat(200_000)}\ntarget "default" { context = "here" }`);
    expect((await place.run(["bake", "--print", `${web.origin}/long.hcl`])).stdout).toContain(
      '"context": "here"',
    );
    expect((await buildx(["bake", "--print", `${web.origin}/long.hcl`])).exitCode).toBe(1);
    documents.set("/longer.hcl", `# ${"x".repeat(2 << 20)}`);
    const { ours } = await failure([`${web.origin}/longer.hcl`]);
    expect(ours).toMatch(/non-archive definition URL bigger than maximum allowed size \(2MB\)/);
    documents.set("/bad.hcl", 'target "default" {');
    for (const name of ["bad.hcl", "missing.hcl"]) {
      const bad = await failure([`${web.origin}/${name}`]);
      expect(bad.ours).toBe(bad.theirs);
    }
  });

  test("is an archive, whose directories are its contexts", async () => {
    documents.set(
      "/app.tar.gz",
      gzipSync(execFileSync("tar", ["-C", place.path("git", "app.git"), "--exclude=.git", "-cf", "-", "."])),
    );
    const { stdout } = await place.succeed(["bake", "--print", `${web.origin}/app.tar.gz`]);
    expect(JSON.parse(stdout)).toMatchObject({
      target: { top: { context: "." }, below: { context: "app" } },
    });
    const theirs = await buildx(["bake", `${web.origin}/app.tar.gz`, "--set", "*.output=theirs", "below"]);
    expect([theirs.exitCode, theirs.stderr]).toEqual([1, expect.stringContaining("invalid input type")]);
    await place.succeed(["bake", `${web.origin}/app.tar.gz`, "--set", "*.output=unpacked", "below"]);
    expect((await readdir(place.path("unpacked"))).sort()).toEqual(["all", "app", "other"]);
  });
});

describe("credentials of a repository", () => {
  test("come from the environment, for its host alone", async () => {
    const secret = "s3cr3t-t0ken";
    const basic = `basic ${Buffer.from(`x-access-token:${secret}`).toString("base64")}`;
    await using guarded = await gitServer(place.path("git"), {
      authorize: (header) => header?.toLowerCase() === basic.toLowerCase() || header === `Bearer ${secret}`,
    });
    const url = `${guarded.origin}/app.git`;
    await printed([url, "below"], { BUILDX_BAKE_GIT_AUTH_TOKEN: secret });
    await printed([url, "below"], { buildx_bake_git_auth_header: `Bearer ${secret}` });
    const env = { BUILDX_BAKE_GIT_AUTH_TOKEN: secret };
    const set = ["--set", "below.output=guarded", "--set", "top.output=guarded-top"];
    expect(await place.run(["bake", url, "below", "top", ...set], { env })).toMatchObject({ exitCode: 0 });
    expect((await readdir(place.path("guarded"))).sort()).toEqual(["all", "app", "other"]);
    const wrong = await place.run(["bake", `${url}#nested`], {
      env: { BUILDX_BAKE_GIT_AUTH_TOKEN: "wr0ng-t0ken" },
    });
    expect(wrong.exitCode).toBe(1);
    expect(wrong.stderr).not.toContain("wr0ng-t0ken");
  });
});

describe("what a definition from elsewhere may", () => {
  const privileges = async (args: string[], env: Record<string, string> = {}) => {
    const ours = await place.run(["bake", "--progress", "plain", app(), ...args], { env });
    const theirs = await buildx(["bake", "--progress", "plain", app(), ...args], env);
    const asked = (text: string) => [...text.matchAll(/^ - .*$/gm)].map(([line]) => line);
    expect(asked(ours.stderr)).toEqual(asked(theirs.stderr));
    return { exitCode: ours.exitCode, asked: asked(ours.stderr) };
  };

  test("is what one from here may: read and write below the working directory", async () => {
    await mkdir(path.join(place.dir, "..", "outside"), { recursive: true });
    const outside = ` - Read access to path ${path.join("..", "outside")}`;
    expect(await privileges(["outside"])).toEqual({ exitCode: 1, asked: [outside] });
    expect(await privileges(["secretive"])).toMatchObject({
      exitCode: 1,
      asked: [expect.stringContaining("/etc/passwd")],
    });
    const { asked } = await privileges(["outside"], { BAKE_ALLOW_REMOTE_FS_ACCESS: "1" });
    expect(asked).toEqual([outside]);
    await rm(path.join(place.dir, "..", "outside"), { recursive: true });
    const silent = await place.run(["bake", "--progress", "rawjson", app(), "secretive"]);
    expect(silent).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("--allow=fs.read=") as string,
    });
  });

  test("is not the ssh agent, nor files that a compose file names elsewhere", async () => {
    const scp = "git@127.0.0.1:app.git";
    const plan = await readBake({
      files: [{ name: "a.hcl", content: `target "default" { context = "${scp}" }` }],
      env: {},
      cwd: place.dir,
    });
    expect(plan.missingPrivileges([])).toEqual([{ kind: "ssh" }]);
    await writeFile(path.join(place.dir, "..", `${place.id}.env`), "SECRET=1");
    documents.set(
      "/sneaky.yaml",
      `services: {a: {env_file: ../${place.id}.env, build: {context: ., args: [SECRET]}}}`,
    );
    const { exitCode, stderr } = await place.run(["bake", "--print", `${web.origin}/sneaky.yaml`]);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("outside of the working directory") as string,
    });
    expect((await buildx(["bake", "--print", `${web.origin}/sneaky.yaml`])).stdout).toContain(
      '"SECRET": "1"',
    );
    await rm(path.join(place.dir, "..", `${place.id}.env`));
  });

  test("a Dockerfile from here is no accident", async () => {
    await writeFile(place.path("Dockerfile.cmd"), "FROM scratch\n");
    const { ours, theirs } = await failure([app(), "command"]);
    expect(ours).toBe(theirs);
    expect(ours).toContain("reading a dockerfile for a remote build invocation is currently not supported");
    await rm(place.path("Dockerfile.cmd"));
  });
});

test("the library reads and builds what is elsewhere, by itself and on a connection", async () => {
  const at = { env: place.env as NodeJS.ProcessEnv, cwd: place.dir };
  const remote = { url: app(), commandContext: `${app()}#nested` };
  const plan = await readBake({ ...at, builder, remote, targets: ["command", "below"] });
  expect(plan.targets.get("command")?.args?.get("SAID")).toBe(remote.commandContext);
  expect(plan.targets.get("below")).toMatchObject({ context: `${app()}#:app`, remote: { context: "app" } });
  const built = await bake({
    ...at,
    builder,
    remote,
    targets: ["top"],
    set: ["*.output=by-library"],
    describe: false,
  });
  expect([...built.targets.keys()]).toEqual(["top"]);
  await using connection = await connect({ builder, env: at.env });
  const again = await connection.readBake({
    cwd: at.cwd,
    remote,
    targets: ["below"],
    set: ["*.output=on-connection"],
  });
  await connection.bake({ cwd: at.cwd, plan: again, describe: false });
  expect((await readdir(place.path("on-connection"))).sort()).toEqual(["all", "app", "other"]);
  // It stays open.
  await connection.bake({
    cwd: at.cwd,
    remote: { url: app() },
    targets: ["top"],
    set: ["*.output=type=cacheonly"],
  });
  await expect(connection.bake({ builder } as object)).rejects.toThrow(/a connection's bake\(\).*builder/);
});
