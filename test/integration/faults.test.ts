import { once } from "node:events";
import { execFileSync } from "node:child_process";
import { mkdir, open, readFile, readdir, readlink, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { engineEnv } from "../support/engine-env.js";
import { type SlipwayRun, mostMebibytes } from "../support/slipway.js";
import { Workplace, eventually } from "../support/workplace.js";

/** Faults in the middle of real builds: signals, a builder that dies or freezes, full disks and closed pipes. */
const { long } = engineEnv();
let place: Workplace;
let builder: string;
/** A step that runs until it is ended, and is found by this text. */
let endless: string;

beforeAll(async () => {
  place = await Workplace.open("faults");
  builder = await place.builder("b", "--driver-opt", "network=host", "--bootstrap", "--use");
  endless = `sleep ${10_000_000 + Math.floor(Math.random() * 1_000_000)}`;
});

afterAll(() => place.close());

const build = (dir: string, ...flags: string[]) =>
  place.start(["build", "--builder", builder, "--progress", "plain", ...flags, dir]);

/** Starts a build and returns when its step runs. */
async function startEndless(env: Record<string, string> = {}) {
  const dir = await place.context({ Dockerfile: `FROM busybox\nRUN echo begun && ${endless}\n` });
  const running = place.start(["build", "--builder", builder, "--progress", "plain", "--no-cache", dir], {
    env,
  });
  await running.said(/ begun$/m);
  return running;
}

/** Sends SIGINT, and waits until it has been taken: two that are pending would be one. */
async function interrupt({ child }: SlipwayRun) {
  child.kill("SIGINT");
  await eventually(async () => {
    const status = await readFile(`/proc/${child.pid}/status`, "latin1").catch(() => "");
    const pending = [...status.matchAll(/^(?:SigPnd|ShdPnd):\s*(\w+)$/gm)];
    return pending.every(([, mask]) => (Number.parseInt(mask?.slice(-1) ?? "", 16) & 2) === 0);
  });
}

/** The step is gone from the builder: 5 s by the requirement, with slack for a busy machine. */
async function stepIsGone() {
  await expect.poll(() => place.processes(builder, endless), { timeout: 60_000 }).toEqual([]);
}

async function builderIsFine() {
  const dir = await place.context({ Dockerfile: "FROM busybox\nRUN true\n" });
  const { exitCode, stderr } = await build(dir).result;
  expect(exitCode, stderr).toBe(0);
}

/** A context whose upload takes a while, and nothing on this disk. */
async function largeContext(): Promise<string> {
  const dir = await place.context({ Dockerfile: "FROM scratch\nCOPY large /\n", large: "" });
  await truncate(path.join(dir, "large"), 64 * 2 ** 30);
  return dir;
}

/** An image of 512 MiB that is in the builder's cache after the first time. */
async function largeResult(): Promise<string> {
  const dir = await place.context({
    Dockerfile:
      "FROM busybox AS make\nRUN dd if=/dev/zero of=/large bs=1M count=512\nFROM scratch\nCOPY --from=make /large /\n",
  });
  const { exitCode, stderr } = await build(dir, "-o", "type=cacheonly").result;
  expect(exitCode, stderr).toBe(0);
  return dir;
}

describe("signals", () => {
  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "FLT-30 FLT-33 FLT-35 %s in a step: exit code 130, and the step is gone",
    async (signal) => {
      const running = await startEndless();
      running.child.kill(signal);
      const { exitCode, stderr } = await running.result;
      expect(exitCode, stderr).toBe(130);
      expect(stderr).toMatch(/^#\d+ CANCELED$/m);
      expect(stderr).not.toMatch(/^\s+at /m);
      await stepIsGone();
    },
  );

  it.each(["exec", "auto"])("FLT-30 SIGINT mid-upload, connect=%s", async (connect) => {
    const dir = await largeContext();
    const running = place.start(["build", "--builder", builder, "--progress", "plain", dir], {
      env: { SLIPWAY_CONNECT: connect },
    });
    await running.said(/transferring context: [\d.]+[MG]B/);
    running.child.kill("SIGINT");
    const { exitCode, stderr, peakMebibytes } = await running.result;
    expect(exitCode, stderr).toBe(130);
    expect(peakMebibytes).toBeLessThan(mostMebibytes);
    expect(stderr).not.toMatch(/^\s+at /m);
    await builderIsFine();
  });

  it("FLT-30 SIGINT while a secret's fifo has nobody who writes to it", async () => {
    const step = "RUN --mount=type=secret,id=late cat /run/secrets/late";
    const dir = await place.context({ Dockerfile: `FROM busybox\n${step}\n` });
    const fifo = path.join(dir, "fifo");
    execFileSync("mkfifo", [fifo]);
    const running = build(dir, "--secret", `id=late,src=${fifo}`);
    const open = path.join("/proc", String(running.child.pid), "fd");
    await eventually(async () => {
      const files = (await readdir(open)).map((fd) => readlink(path.join(open, fd)).catch(() => ""));
      return (await Promise.all(files)).includes(fifo);
    });
    running.child.kill("SIGINT");
    const { exitCode, stderr } = await running.result;
    expect(exitCode, stderr).toBe(130);
  });

  it("FLT-30 an output's fifo is waited for until somebody reads it, or until SIGINT", async () => {
    const dir = await place.context({ Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" });
    const fifo = path.join(dir, "fifo");
    execFileSync("mkfifo", [fifo]);
    const [read, unread] = [0, 1].map(() => build(dir, "-o", `type=tar,dest=${fifo}`));
    await unread?.said(/exporting to client tarball/);
    unread?.child.kill("SIGINT");
    expect(await unread?.result).toMatchObject({ exitCode: 130 });
    expect((await readFile(fifo)).includes("COPY Dockerfile /")).toBe(true);
    expect(await read?.result).toMatchObject({ exitCode: 0 });
  });

  it("FLT-31 a second SIGINT does not wait for a builder that is frozen, as the first does", async () => {
    const [impatient, patient] = [await startEndless(), await startEndless()];
    await place.engine.containers.pause(place.container(builder));
    try {
      await interrupt(patient);
      await interrupt(impatient);
      expect(impatient.child.exitCode).toBeNull();
      await interrupt(impatient);
      expect((await impatient.result).exitCode).toBe(130);
      expect(patient.child.exitCode).toBeNull();
    } finally {
      await place.engine.containers.unpause(place.container(builder));
    }
    expect((await patient.result).exitCode).toBe(130);
    await stepIsGone();
  });

  it("FLT-31 FLT-32 a second SIGINT ends at once, and a third changes nothing", async () => {
    const running = await startEndless();
    await place.engine.containers.pause(place.container(builder));
    try {
      for (let count = 0; count < 3; count++) await interrupt(running);
      expect((await running.result).exitCode).toBe(130);
    } finally {
      await place.engine.containers.unpause(place.container(builder));
    }
    await stepIsGone();
  });

  it("FLT-12 after SIGKILL neither the step nor its connection is left in the builder", async () => {
    const running = await startEndless({ SLIPWAY_CONNECT: "exec" });
    expect(await place.processes(builder, "dial-stdio")).not.toEqual([]);
    running.child.kill("SIGKILL");
    expect((await running.result).signal).toBe("SIGKILL");
    await stepIsGone();
    await expect.poll(() => place.processes(builder, "dial-stdio"), { timeout: 60_000 }).toEqual([]);
  });
});

describe("a builder that goes away", () => {
  it.each(["exec", "auto"])("FLT-3 buildkitd killed in a step, connect=%s", async (connect) => {
    const running = await startEndless({ SLIPWAY_CONNECT: connect });
    await place.engine.run(place.container(builder), ["killall", "-9", "buildkitd"]).catch(() => {});
    const { exitCode, stderr } = await running.result;
    expect(exitCode, stderr).toBe(1);
    expect(stderr).toMatch(
      new RegExp(
        `^ERROR: failed to build: builder container ${place.container(builder)} (stopped with exit code|was restarted)`,
        "m",
      ),
    );
    expect(stderr).not.toMatch(/^\s+at /m);
    await builderIsFine();
  });

  it("FLT-4 the container is stopped, and the next build starts it again", async () => {
    const running = await startEndless();
    const stopping = place.engine.containers.stop(place.container(builder), { timeoutSeconds: 1 });
    const { exitCode, stderr } = await running.result;
    expect(exitCode, stderr).toBe(1);
    expect(stderr).toMatch(/^ERROR: /m);
    await stopping;
    await builderIsFine();
  });

  it("FLT-16 a daemon that cannot start is given up, with its last words", async () => {
    const flags = ["--driver-opt", "network=host", "--buildkitd-flags", "--no-such-flag"];
    const broken = await place.builder("broken", ...flags);
    const { exitCode, stderr } = await place.run(["inspect", "--bootstrap", broken]);
    expect(exitCode, stderr).toBe(1);
    const name = place.container(broken);
    expect(stderr).toMatch(
      new RegExp(
        `^ERROR: builder container ${name} exited with code 1; the daemon's last log lines:\\n +\\S`,
        "m",
      ),
    );
    await place.succeed(["rm", broken]);
  });

  it("FLT-7 the process of the exec is killed", async () => {
    const running = await startEndless({ SLIPWAY_CONNECT: "exec" });
    await place.engine.run(place.container(builder), ["killall", "-9", "buildctl"]);
    const { exitCode, stderr } = await running.result;
    expect(exitCode, stderr).toBe(1);
    expect(stderr).toMatch(/^ERROR: .*(connection|buildctl)/m);
    await stepIsGone();
    await builderIsFine();
  });

  it("FLT-6 a builder that is paused is named at once", async () => {
    await place.engine.containers.pause(place.container(builder));
    try {
      const dir = await place.context({ Dockerfile: "FROM busybox\n" });
      const { exitCode, stderr } = await build(dir).result;
      expect(exitCode).toBe(1);
      expect(stderr).toContain(`builder container ${place.container(builder)} is paused`);
    } finally {
      await place.engine.containers.unpause(place.container(builder));
    }
  });

  it.runIf(long)("FLT-6 a builder that is paused in a step is given up", async () => {
    const running = await startEndless();
    await place.engine.containers.pause(place.container(builder));
    try {
      const { exitCode, stderr } = await running.result;
      expect(exitCode).toBe(1);
      expect(stderr).toContain(`builder container ${place.container(builder)} is paused`);
    } finally {
      await place.engine.containers.unpause(place.container(builder));
    }
    await stepIsGone();
  });

  it.each(["exec", "auto"])(
    "FLT-8 buildkitd killed mid-export: the file from before stays, connect=%s",
    async (connect) => {
      const dir = await largeResult();
      const out = path.join(await place.context({}), "out.tar");
      await writeFile(out, "from before");
      const running = place.start(["build", "--builder", builder, "-o", `type=tar,dest=${out}`, dir], {
        env: { SLIPWAY_CONNECT: connect },
      });
      await eventually(async () => (await readdir(path.dirname(out))).length > 1);
      await place.engine.run(place.container(builder), ["killall", "-9", "buildkitd"]).catch(() => {});
      const { exitCode, stderr } = await running.result;
      expect(exitCode, stderr).toBe(1);
      expect(stderr).toMatch(/^ERROR: failed to build: builder container/m);
      expect(await readFile(out, "utf8")).toBe("from before");
      expect(await readdir(path.dirname(out))).toEqual(["out.tar"]);
      await builderIsFine();
    },
  );

  it("FLT-9 buildkitd killed mid-export into a directory: no torn file under its name", async () => {
    const dir = await largeResult();
    const out = await place.context({ large: "from before" });
    const running = build(dir, "-o", out);
    await eventually(async () => (await readdir(out)).length > 1);
    await place.engine.run(place.container(builder), ["killall", "-9", "buildkitd"]).catch(() => {});
    const { exitCode, stderr } = await running.result;
    expect(exitCode, stderr).toBe(1);
    expect(await readFile(path.join(out, "large"), "utf8")).toBe("from before");
    expect(await readdir(out)).toEqual(["large"]);
    await builderIsFine();
  });
});

describe("a full disk", () => {
  let disk: string;

  beforeAll(async () => {
    disk = place.path("disk");
    await mkdir(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]);
  });

  afterAll(() => void execFileSync("umount", [disk]));

  it.each(["tar", "oci", "docker", "local"])(
    "FLT-37 FLT-90 names the path and leaves no part, type=%s",
    async (type) => {
      const dir = await place.context({
        Dockerfile:
          "FROM busybox AS make\nRUN dd if=/dev/urandom of=/large bs=1M count=32\nFROM scratch\nCOPY --from=make /large /\n",
      });
      const dest = path.join(disk, type);
      const { exitCode, stderr } = await build(dir, "-o", `type=${type},dest=${dest}`).result;
      expect(exitCode, stderr).toBe(1);
      expect(stderr).toMatch(new RegExp(`^ERROR: .*${dest}.*(no space left|ENOSPC)`, "im"));
      const left = await readdir(disk, { recursive: true });
      expect(left).toEqual(type === "local" ? [type] : []);
    },
  );
});

describe("pipes", () => {
  it("FLT-38 a reader that leaves ends the build like SIGPIPE", async () => {
    const dir = await largeResult();
    const running = place.start(["build", "--builder", builder, "--progress", "plain", "-o", "-", dir], {
      readStdout: false,
    });
    const { stdout } = running.child;
    if (stdout) {
      await once(stdout, "readable");
      stdout.destroy();
    }
    const { exitCode, stderr } = await running.result;
    expect(exitCode, stderr).toBe(141);
    expect(stderr).not.toMatch(/^\s+at /m);
    await builderIsFine();
  });

  it("FLT-38 a build goes on when nobody reads its progress any more", async () => {
    const dir = await place.context({ Dockerfile: "FROM busybox\nRUN echo done >/marker\n" });
    const out = path.join(await place.context({}), "out");
    const running = place.start(["build", "--builder", builder, "--no-cache", "-o", out, dir]);
    running.child.stderr?.destroy();
    const { exitCode } = await running.result;
    expect(exitCode).toBe(0);
    expect(await readFile(path.join(out, "marker"), "utf8")).toBe("done\n");
  });

  it("FLT-38 a stdout that cannot be written fails the output", async () => {
    const dir = await place.context({ Dockerfile: "FROM busybox\n" });
    await using full = await open("/dev/full", "w");
    const { exitCode, stderr } = await place.run(
      ["build", "--builder", builder, "--progress", "plain", "-o", "type=tar,dest=-", dir],
      { stdout: full.fd },
    );
    expect(exitCode, stderr).toBe(1);
    expect(stderr).toMatch(/^ERROR: .*(no space left|ENOSPC)/im);
  });
});
