import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { engineEnv } from "../support/engine-env.js";

/** What a testbed of its own leaves behind, however it ends. It runs inside of the one that runs the tests. */
const testbed = fileURLToPath(new URL("../../testbed/with", import.meta.url));
/** In the command's own text, and nowhere else. */
const marker = "7654321";
const runs = "/run/slipway-testbed";
const isPossible = engineEnv().engine.startsWith("docker");
if (!isPossible) console.warn("ends of the testbed are not tested: the engine here is not the testbed's own");

interface Run {
  child: ChildProcess;
  /** The run's directory. */
  state: string;
  ended: Promise<unknown>;
}

/** Starts a testbed whose command says where it is, and then waits for ever. */
async function start(): Promise<Run> {
  const env = { ...process.env, DOCKER_HOST: undefined };
  // It takes SIGINT also where it is ignored, as it is for whoever was started in the background.
  const script = `process.on("SIGINT", () => process.exit(130)); setInterval(() => {}, ${marker}); console.log("at " + process.env.DOCKER_HOST.slice(7))`;
  const command = [process.execPath, "-e", script];
  const child = spawn(testbed, ["--engine", "docker", ...command], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  const ended = once(child, "exit");
  let said = "";
  for await (const chunk of child.stdout) {
    said += String(chunk);
    if (said.includes("\n")) break;
  }
  child.stdout.resume();
  const socket = /^at (.*)$/m.exec(said)?.[1];
  if (socket === undefined) throw new Error(`the testbed did not start: ${said}`);
  return { child, state: path.dirname(socket), ended };
}

/** Ids of the processes whose command line has this text, and begins so. */
async function processes(text: string, beginning = ""): Promise<number[]> {
  const found: number[] = [];
  for (const name of (await readdir("/proc")).filter((each) => /^\d+$/.test(each))) {
    const line = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    if (line.startsWith(beginning) && line.includes(text)) found.push(Number(name));
  }
  return found;
}

/** No process, no directory and no mount of a run is left. */
async function isGone({ state }: Run): Promise<void> {
  const name = path.basename(state);
  await expect.poll(() => stat(state).catch(() => undefined), { timeout: 60_000 }).toBeUndefined();
  await expect.poll(() => processes(name), { timeout: 60_000 }).toEqual([]);
  expect(await readFile("/proc/self/mounts", "utf8")).not.toContain(name);
}

describe.runIf(isPossible)("the testbed", () => {
  it("takes everything down when two runs beside each other end: one by Ctrl-C, one whose command is killed", async () => {
    const [first, second] = await Promise.all([start(), start()]);
    expect(first.state).not.toBe(second.state);
    expect(path.dirname(first.state)).toBe(runs);
    // As a terminal does it: the whole group of processes.
    process.kill(-(first.child.pid as number), "SIGINT");
    await first.ended;
    await isGone(first);
    // The other is not touched by it.
    expect(await stat(second.state)).toBeDefined();
    const sleeping = await processes(marker, `${process.execPath}\0-e`);
    expect(sleeping.length).toBeGreaterThan(0);
    for (const pid of sleeping) process.kill(pid, "SIGKILL");
    await second.ended;
    await isGone(second);
  });
});
