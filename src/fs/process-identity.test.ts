import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { type ProcessIdentity, hasEnded, startOfMachine, thisProcess } from "./process-identity.js";

/** A process that has ended. */
async function endedProcess(): Promise<ProcessIdentity> {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "close");
  return { ...(await thisProcess()), pid: child.pid ?? 0, started: "1" };
}

it("takes a process for ended only when that is certain", async () => {
  const self = await thisProcess();
  const gone = await endedProcess();
  expect(await hasEnded(self)).toBe(false);
  expect(await hasEnded(gone, { lastSign: Date.now() })).toBe(true);
  expect(await hasEnded({ ...gone, host: "elsewhere" }, { lastSign: 0 })).toBe(false);
  expect(await hasEnded({ ...gone, pidNamespace: "pid:[1]" }, { lastSign: 0 })).toBe(false);
  if (process.platform !== "linux") return;
  expect(await hasEnded(gone)).toBe(true);
  expect(await hasEnded({ ...self, started: "1" })).toBe(true);
});

describe.runIf(process.platform === "linux")("of another boot", () => {
  const before = startOfMachine() - 60_000;
  const other = { bootId: "00000000-0000-0000-0000-000000000000", machineId: "" };

  it("one whose last sign is older than this boot of this machine has ended", async () => {
    const { machineId, ...gone } = await endedProcess();
    const earlier = { ...gone, ...other, machineId };
    // A container has no such file; then nothing is known.
    expect(await hasEnded(earlier, { lastSign: before })).toBe(machineId !== "");
    expect(await hasEnded(earlier)).toBe(false);
    expect(await hasEnded(earlier, { lastSign: Date.now() })).toBe(false);
    expect(await hasEnded({ ...earlier, bootId: "" }, { lastSign: Date.now() })).toBe(false);
  });

  it("machines with the same host name are told apart", async () => {
    const gone = await endedProcess();
    for (const machineId of ["", "0123456789abcdef0123456789abcdef"])
      expect(await hasEnded({ ...gone, ...other, machineId }, { lastSign: before })).toBe(false);
  });
});
