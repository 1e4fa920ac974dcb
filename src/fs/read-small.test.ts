import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readSmall } from "./read-small.js";

test("reads small regular files, and leaves everything else alone", () => {
  const dir = fs.mkdtempSync(join(tmpdir(), "slipway-small-"));
  try {
    const at = (name: string) => join(dir, name);
    fs.writeFileSync(at("some"), "text");
    fs.writeFileSync(at("empty"), "");
    fs.writeFileSync(at("large"), Buffer.alloc(64 * 1024 + 1));
    fs.symlinkSync("some", at("link"));
    execFileSync("mkfifo", [at("pipe")]);
    expect(readSmall(at("some"))?.toString()).toBe("text");
    expect(readSmall(at("link"))?.toString()).toBe("text");
    expect(readSmall(at("empty"))).toHaveLength(0);
    for (const path of [at("large"), at("pipe"), dir, at("none"), "/dev/zero", "/proc/self/stat"])
      expect(readSmall(path), path).toBeUndefined();
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
});
