import { execFileSync } from "node:child_process";
import { chmod, chown, mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { engineEnv } from "../support/engine-env.js";
import { type SlipwayOptions, makeDirectory, removeDirectory } from "../support/slipway.js";
import { Workplace } from "../support/workplace.js";

/** The ways from here to a builder's daemon, and who may take which. */
const { dockerHost, engine } = engineEnv();
const dockerfile = 'FROM busybox\nCOPY big /\nCOPY greeting /\nCMD ["cat", "/greeting"]\n';
const big = Buffer.alloc(3 << 20, "0123456789abcdef");
let place: Workplace;

beforeAll(async () => {
  place = await Workplace.open("ways");
});

afterAll(() => place.close());

const endless = (marker: number) => ({
  Dockerfile: `FROM busybox\nRUN echo begun && sleep ${marker}\n`,
});

describe.each(["auto", "exec", "socket"])("connect=%s", (connect) => {
  let builder: string;
  const env = { SLIPWAY_CONNECT: connect };

  beforeAll(async () => {
    builder = await place.builder(connect, "--driver-opt", "network=host", "--connect", connect);
  });

  it("builds with an upload, exports, and loads what has changed", async () => {
    const dir = await place.context({ Dockerfile: dockerfile, greeting: "one\n", big });
    const out = path.join(await place.context({}), "out");
    const tag = `${place.id}:${connect}`;
    for (const greeting of ["one\n", "two\n"]) {
      await writeFile(path.join(dir, "greeting"), greeting);
      const flags = ["--builder", builder, "--load", "-t", tag, "-o", out];
      const { stderr } = await place.succeed(["build", "--progress", "plain", ...flags, dir]);
      expect(await place.output(tag)).toBe(greeting);
      expect(await readFile(path.join(out, "greeting"), "utf8")).toBe(greeting);
      expect(big.equals(await readFile(path.join(out, "big")))).toBe(true);
      if (greeting === "two\n") expect(stderr).toMatch(/^#\d+ layer \w+ already present/m);
    }
    await place.engine.images.remove(tag, { force: true });
  });

  it("goes the way it says", async () => {
    const running = place.start(
      ["build", "--builder", builder, "--progress", "plain", await place.context(endless(51_423))],
      { env },
    );
    await running.said(/ begun$/m);
    expect(await place.processes(builder, "dial-stdio")).toHaveLength(connect === "exec" ? 1 : 0);
    running.child.kill("SIGINT");
    expect((await running.result).exitCode).toBe(130);
    for (const text of ["sleep 51423", "dial-stdio"])
      await expect.poll(() => place.processes(builder, text), { timeout: 60_000 }).toEqual([]);
  });

  it("FLT-5 a builder that is removed in a step is named, and the next build makes it again", async () => {
    const dir = await place.context(endless(51_424));
    const running = place.start(["build", "--builder", builder, "--progress", "plain", dir]);
    await running.said(/ begun$/m);
    await place.engine.containers.remove(place.container(builder), { force: true });
    const { exitCode, stderr } = await running.result;
    expect(exitCode, stderr).toBe(1);
    const name = place.container(builder);
    expect(stderr).toMatch(
      new RegExp(`^ERROR: failed to build: builder container ${name} (was removed|stopped)`, "m"),
    );
    const fine = await place.context({ Dockerfile: "FROM busybox\n" });
    await place.succeed(["build", "--builder", builder, fine]);
  });
});

/** Another user, who may use the engine by its group. Needs root, to become that user, on this machine's own engine. */
const obstacle =
  process.getuid?.() !== 0
    ? "only root can become another user"
    : engine === "existing"
      ? "the engine may run elsewhere"
      : undefined;
if (obstacle !== undefined) console.warn(`builders of another user than root are not tested: ${obstacle}`);

describe.skipIf(obstacle !== undefined)("a user who is not root", () => {
  const uid = 12_345;
  let door: string;
  let mine: Workplace;
  let user: SlipwayOptions;

  beforeAll(async () => {
    // The directory of the engine's socket is closed to this user: here is another door.
    door = await makeDirectory("door");
    await chmod(door, 0o755);
    await writeFile(path.join(door, "engine.sock"), "");
    const socket = dockerHost.replace("unix://", "");
    execFileSync("mount", ["--bind", socket, path.join(door, "engine.sock")]);
    mine = await Workplace.open("user", { dockerHost: `unix://${door}/engine.sock` });
    const { gid } = await stat(socket);
    user = { uid, gid };
    await own(mine.dir, mine.path("buildx"), mine.path("docker"));
  });

  afterAll(async () => {
    await mine.close();
    execFileSync("umount", [path.join(door, "engine.sock")]);
    await removeDirectory(door);
  });

  async function own(...paths: string[]) {
    for (const each of paths) await chown(each, uid, user.gid as number);
  }

  const run = async (...args: string[]) => {
    const result = await mine.run(args, user);
    expect(result.exitCode, result.stderr).toBe(0);
    return result;
  };

  /** Directories for sockets that there are now. */
  const sockets = (config = mine.path("buildx")) =>
    readdir(path.join(config, "slipway", "run")).catch(() => []);

  it("reaches a builder by a directory of its own, also after a restart and when the directory is gone", async () => {
    const name = `${mine.id}-own`;
    await run("create", "--name", name, "--driver-opt", "network=host");
    const dir = await mine.context({ Dockerfile: dockerfile, greeting: "mine\n", big });
    const tag = `${mine.id}:own`;
    await run("build", "--builder", name, "--load", "-t", tag, dir);
    expect(await mine.output(tag)).toBe("mine\n");
    expect(await goesByExec(name)).toBe(false);
    const [directory = ""] = await sockets();
    const { uid: owner, mode } = await stat(mine.path("buildx", "slipway", "run", directory));
    expect([owner, mode & 0o777]).toEqual([uid, 0o700]);

    await run("stop", name);
    await run("build", "--builder", name, dir);
    expect(await goesByExec(name)).toBe(false);

    await run("stop", name);
    await rm(mine.path("buildx", "slipway", "run", directory), { recursive: true });
    const { stderr } = await run("build", "--builder", name, "--progress", "plain", dir);
    expect(stderr).toMatch(/COPY big \/\n#\d+ CACHED/);
    expect(await goesByExec(name)).toBe(false);

    await run("rm", name);
    expect(await sockets()).toEqual([]);
    await mine.engine.images.remove(tag, { force: true });
  });

  it("reaches one whose socket's path is too long for a socket address", async () => {
    const config = mine.path("long".repeat(30), "buildx");
    await mkdir(config, { recursive: true });
    await own(path.dirname(config), config);
    const env = { BUILDX_CONFIG: config };
    const name = `${mine.id}-long`;
    const long = (...args: string[]) => mine.succeed(args, { ...user, env });
    await long("create", "--name", name, "--driver-opt", "network=host", "--connect", "socket");
    await writeFile(
      path.join(config, "buildkitd.default.toml"),
      await readFile(mine.path("buildx", "buildkitd.default.toml")),
    );
    await long(
      "build",
      "--builder",
      name,
      await mine.context({ Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" }),
    );
    expect(await sockets(config)).toHaveLength(1);
    await long("rm", name);
    expect(await sockets(config)).toEqual([]);
  });

  it.each(["--group=4711", "--addr=unix:///run/buildkit/buildkitd.sock"])(
    "leaves a builder alone that has its own %s, and goes by exec",
    async (flag) => {
      const name = `${mine.id}${flag.slice(1, 6)}`;
      await run("create", "--name", name, "--driver-opt", "network=host", `--buildkitd-flags=${flag}`);
      await run("build", "--builder", name, await mine.context({ Dockerfile: "FROM busybox\n" }));
      expect(await sockets()).toEqual([]);
      expect(await goesByExec(name)).toBe(true);
      await run("rm", name);
    },
  );

  it("SEC-7 FLT-72 owns what is exported, whoever owned it in the image", async () => {
    const name = `${mine.id}-owner`;
    await run("create", "--name", name, "--driver-opt", "network=host");
    const dir = await mine.context({
      Dockerfile: "FROM scratch\nCOPY --chown=77:88 f /d/\nCOPY f /\n",
      f: "f",
    });
    await chown(path.join(dir, "f"), 1234, 2345);
    const out = mine.path("owned");
    await run("build", "--builder", name, "-o", out, dir);
    for (const file of ["d", "d/f", "f"]) expect((await stat(path.join(out, file))).uid, file).toBe(uid);
    const { stdout } = await run("build", "--builder", name, "-o", "type=tar,dest=-", dir);
    const owner = (file: string) => {
      const header = stdout.slice(stdout.indexOf(`${file}\0`));
      return Number.parseInt(header.slice(108, 116), 8);
    };
    expect(owner("d/f")).toBe(77);
    // What is uploaded is nobody's in particular.
    expect(stdout).not.toContain("0002322");
    await run("rm", name);
  });

  it.each([
    ["SEC-44 FLT-50", "secret/file", /secret\/file/],
    ["FLT-51", "secret", /secret/],
    ["SEC-45", ".dockerignore", /failed to read \.dockerignore: .*permission denied/i],
    ["SEC-45", "Dockerfile", /failed to read dockerfile: .*permission denied/i],
  ])("%s is told of a %s that cannot be read, and nothing is built", async (_id, unreadable, message) => {
    const name = `${mine.id}-unreadable`;
    await run("create", "--name", name, "--driver-opt", "network=host");
    const dir = await mine.context({
      Dockerfile: "FROM scratch\nCOPY . /\n",
      ".dockerignore": "",
      "secret/file": "",
    });
    await chmod(path.join(dir, unreadable), 0o000);
    const out = mine.path("not-written");
    const { exitCode, stderr } = await mine.run(["build", "--builder", name, "-o", out, dir], user);
    expect(exitCode, stderr).toBe(1);
    expect(stderr).toMatch(message);
    await expect(stat(path.join(out, "Dockerfile"))).rejects.toMatchObject({ code: "ENOENT" });
    await run("rm", name);
  });

  it("is told what to do where the socket cannot be reached", async () => {
    const name = `${mine.id}-root`;
    await mine.succeed(["create", "--name", name, "--driver-opt", "network=host", "--bootstrap"]);
    await own(mine.path("buildx", "instances", name));
    const dir = await mine.context({ Dockerfile: "FROM busybox\n" });
    const { exitCode, stderr } = await mine.run(["build", "--builder", name, dir], {
      ...user,
      env: { SLIPWAY_CONNECT: "socket" },
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("cannot be reached from here (connect=socket); use connect=auto");
    await run("build", "--builder", name, dir);
  });

  /** Whether a build's connection is a process in the builder's container. */
  async function goesByExec(name: string): Promise<boolean> {
    const dir = await mine.context(endless(51_425));
    const running = mine.start(["build", "--builder", name, "--progress", "plain", "--no-cache", dir], user);
    await running.said(/ begun$/m);
    const found = await mine.processes(name, "dial-stdio");
    running.child.kill("SIGINT");
    expect((await running.result).exitCode).toBe(130);
    return found.length > 0;
  }
});
