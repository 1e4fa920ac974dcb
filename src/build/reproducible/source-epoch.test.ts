import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sourceEpoch } from "./source-epoch.js";

let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "slipway-epoch-"))));
afterAll(() => rm(dir, { recursive: true }));

/** With a git that does what the script says. */
async function withGit(script: string) {
  const bin = await mkdtemp(join(dir, "bin-"));
  await writeFile(join(bin, "git"), `#!/bin/sh\n${script}\n`);
  await chmod(join(bin, "git"), 0o755);
  return sourceEpoch({ given: undefined, contextDirectory: dir, env: { PATH: bin } });
}

describe("the time of a reproducible build", () => {
  it("is that of the last commit", async () => {
    expect(await withGit("echo 1700000000")).toEqual({ value: "1700000000", from: "the last commit" });
  });

  it.each([
    "fatal: not a git repository (or any of the parent directories): .git",
    "fatal: ambiguous argument 'HEAD': unknown revision or path not in the working tree.",
  ])("is 0 where there is no commit: %s", async (text) => {
    const epoch = await withGit(`echo "${text}" >&2; exit 128`);
    expect(epoch).toEqual({ value: "0", from: "there is no commit to take it from" });
  });

  it("is 0 where git cannot tell, which is told", async () => {
    expect(await withGit("echo 'fatal: detected dubious ownership' >&2; exit 128")).toMatchObject({
      value: "0",
      warning: expect.stringContaining("dubious ownership") as string,
    });
    expect(await withGit("echo never")).toMatchObject({ value: "0" });
    expect(await withGit("echo -5")).toMatchObject({ value: "0" });
  });

  it("is not looked for when it is given, or the build is cancelled", async () => {
    const env = { PATH: join(dir, "none") };
    expect(await sourceEpoch({ given: "12", contextDirectory: dir, env })).toMatchObject({ value: "12" });
    await mkdir(join(dir, "slow"));
    await writeFile(join(dir, "slow/git"), "#!/bin/sh\nsleep 60\n", { mode: 0o755 });
    const query = {
      given: undefined,
      contextDirectory: dir,
      env: { PATH: `${join(dir, "slow")}:/usr/bin:/bin` },
    };
    await expect(sourceEpoch({ ...query, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "ABORTED",
    });
  });
});
