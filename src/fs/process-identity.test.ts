import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";
import { hasEnded, thisProcess } from "./process-identity.js";

it("takes a process for ended only when that is certain", async () => {
  const self = await thisProcess();
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "close");
  const gone = { ...self, pid: child.pid ?? 0, started: "1" };
  expect(await hasEnded(self)).toBe(false);
  expect(await hasEnded(gone)).toBe(true);
  expect(await hasEnded({ ...gone, host: "elsewhere" }, { sameMachine: true })).toBe(false);
  expect(await hasEnded({ ...gone, pidNamespace: "pid:[1]" })).toBe(false);
  const earlier = { ...gone, bootId: "00000000-0000-0000-0000-000000000000" };
  expect(await hasEnded(earlier)).toBe(false);
  if (process.platform !== "linux") return;
  expect(await hasEnded({ ...self, started: "1" })).toBe(true);
  expect(await hasEnded(earlier, { sameMachine: true })).toBe(true);
  expect(await hasEnded({ ...earlier, bootId: "" }, { sameMachine: true })).toBe(false);
});
