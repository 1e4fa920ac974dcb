import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Script } from "node:vm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ModuleSet, codeCache } from "./code-cache.js";

const script = new Script("(function () { return 1 })");
let base: string;
beforeEach(() => void (base = fs.mkdtempSync(path.join(os.tmpdir(), "slipway-cache-"))));
afterEach(() => fs.rmSync(base, { recursive: true }));
const open = (key: string) => codeCache(key, { XDG_CACHE_HOME: base });

describe("codeCache", () => {
  it("keeps what was written, in a directory that is the user's alone", () => {
    expect(open("a").read()).toBeUndefined();
    open("a").write(script, new ModuleSet());
    expect(fs.statSync(path.join(base, "slipway")).mode & 0o777).toBe(0o700);
    expect(open("a").read()?.data.length).toBeGreaterThan(0);
    expect(open("b").read()).toBeUndefined();
  });

  it("is complete after some runs", () => {
    const complete = () => {
      const cache = open("a");
      const cached = cache.read();
      const again = new Script("(function () { return 1 })", { ...(cached && { cachedData: cached.data }) });
      expect(again.cachedDataRejected).not.toBe(true);
      cache.write(again, new ModuleSet());
      return cached?.complete;
    };
    expect([complete(), complete(), complete(), complete()]).toEqual([undefined, false, false, true]);
  });

  it("tells which modules have added to it", () => {
    const modules = new ModuleSet();
    for (const module of [0, 9, 2047]) modules.add(module);
    open("a").write(script, modules);
    const kept = open("a").read()?.modules as ModuleSet;
    expect(kept.addAll(modules)).toBe(false);
    const more = new ModuleSet();
    for (const module of [9, 8, 5000]) more.add(module);
    expect(kept.addAll(more)).toBe(true);
    expect(kept.addAll(more)).toBe(false);
  });

  it("neither reads nor writes in a directory that others can reach", () => {
    open("a").write(script, new ModuleSet());
    fs.chmodSync(path.join(base, "slipway"), 0o770);
    expect(open("a").read()).toBeUndefined();
    open("b").write(script, new ModuleSet());
    expect(fs.readdirSync(path.join(base, "slipway"))).toHaveLength(1);
  });

  it("does not follow a link in the directory's place", () => {
    fs.mkdirSync(path.join(base, "elsewhere"), { mode: 0o700 });
    fs.symlinkSync("elsewhere", path.join(base, "slipway"));
    open("a").write(script, new ModuleSet());
    expect(fs.readdirSync(path.join(base, "elsewhere"))).toEqual([]);
  });

  it("does without a place to write to", () => {
    codeCache("a", { HOME: "/dev/null" }).write(script, new ModuleSet());
    expect(codeCache("a", { HOME: "/dev/null" }).read()).toBeUndefined();
    codeCache("a", {}).write(script, new ModuleSet());
  });

  it("keeps a few files at most", () => {
    for (const key of "abcdefghijklmnopqrst") open(key).write(script, new ModuleSet());
    expect(fs.readdirSync(path.join(base, "slipway"))).toHaveLength(16);
  });
});
