import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Script } from "node:vm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeCache } from "./code-cache.js";

const script = new Script("(function () { return 1 })");
let base: string;
beforeEach(() => void (base = fs.mkdtempSync(path.join(os.tmpdir(), "slipway-cache-"))));
afterEach(() => fs.rmSync(base, { recursive: true }));
const open = (key: string) => codeCache(key, { XDG_CACHE_HOME: base });

describe("codeCache", () => {
  it("keeps what was written, in a directory that is the user's alone", () => {
    expect(open("a").read()).toBeUndefined();
    open("a").write(script);
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
      cache.write(again);
      return cached?.complete;
    };
    expect([complete(), complete(), complete(), complete()]).toEqual([undefined, false, false, true]);
  });

  it("neither reads nor writes in a directory that others can reach", () => {
    open("a").write(script);
    fs.chmodSync(path.join(base, "slipway"), 0o770);
    expect(open("a").read()).toBeUndefined();
    open("b").write(script);
    expect(fs.readdirSync(path.join(base, "slipway"))).toHaveLength(1);
  });

  it("does not follow a link in the directory's place", () => {
    fs.mkdirSync(path.join(base, "elsewhere"), { mode: 0o700 });
    fs.symlinkSync("elsewhere", path.join(base, "slipway"));
    open("a").write(script);
    expect(fs.readdirSync(path.join(base, "elsewhere"))).toEqual([]);
  });

  it("does without a place to write to", () => {
    codeCache("a", { HOME: "/dev/null" }).write(script);
    expect(codeCache("a", { HOME: "/dev/null" }).read()).toBeUndefined();
    codeCache("a", {}).write(script);
  });

  it("keeps a few files at most", () => {
    for (const key of "abcdefghijklmnopqrst") open(key).write(script);
    expect(fs.readdirSync(path.join(base, "slipway"))).toHaveLength(16);
  });
});
