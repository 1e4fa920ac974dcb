import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { bundleStart } from "../../../scripts/program.mjs";

test("a stack never names another installation, whose compiled code is shared", async () => {
  const dir = await mkdtemp(join(tmpdir(), "slipway-installed-"));
  try {
    const [first, second] = [join(dir, "first"), join(dir, "second")];
    await mkdir(first);
    const program =
      "(function (require, module) { function fail() { throw new Error('oops'); } module.exports.slipway = () => { try { fail(); } catch (error) { console.log(error.stack); } }; })";
    const start = await bundleStart("start-file", "esm");
    await writeFile(join(first, "slipway.mjs"), `${start}\n/*slipway:program ${"a".repeat(32)}${program}*/`);
    await cp(first, second, { recursive: true });
    const stackOf = async (installation: string) => {
      const args = [join(installation, "slipway.mjs"), "ls"];
      const env = { PATH: process.env["PATH"], XDG_CACHE_HOME: join(dir, "cache") };
      return (await promisify(execFile)(process.execPath, args, { env })).stdout;
    };
    // What is compiled later is written by later runs.
    for (let run = 0; run < 3; run++) expect(await stackOf(first)).toMatch(/^Error: oops\n +at fail \(/);
    expect(await stackOf(second)).toMatch(/^Error: oops\n +at fail \(/);
    expect(await stackOf(second)).not.toContain(join(first, "slipway.mjs"));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
