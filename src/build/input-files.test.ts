import { execFileSync, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkInputFile, dockerfileFromPipe, largestIgnoreFile } from "./input-files.js";
import { resolveInputs } from "./inputs.js";
import { contextFromStdin } from "./stdin-context.js";

let dir: string;
const at = (name: string) => join(dir, name);

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-inputs-"));
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe("Dockerfile and ignore files", () => {
  const check = (name: string, required = false) =>
    checkInputFile(at("c"), name, { what: "failed to read", required, limit: largestIgnoreFile }).then(
      () => "right",
      (error: Error) => error.message.replaceAll(dir, ""),
    );

  beforeEach(() => mkdir(at("c/sub"), { recursive: true }));

  it("links are followed inside the directory, whatever they lead to on this machine", async () => {
    await writeFile(at("c/sub/real"), "");
    await writeFile(at("outside"), "");
    for (const [name, target] of [
      ["inside", "sub/real"],
      ["rooted", "/sub/real"],
      ["chain", "inside"],
      ["climbing", "../../../c/../sub/real"],
      ["out", "../outside"],
      ["host", "/etc/passwd"],
      ["forbidden", "/root/fault-x"],
      ["device", "/dev/zero"],
      ["loop", "loop"],
      ["through", "sub/real/x"],
    ] as const)
      await symlink(target, at(`c/${name}`));
    for (const name of ["inside", "rooted", "chain", "climbing"])
      expect(await check(name, true)).toBe("right");
    for (const name of ["out", "host", "forbidden", "device", "loop", "through", "none"])
      expect(await check(name)).toBe("right"); // as good as not there
    expect(await check("none", true)).toBe("failed to read: open /c/none: no such file or directory");
    expect(await check("host", true)).toBe(
      "failed to read: open /c/host: no such file or directory: it is a link to /etc/passwd, which the builder looks for inside /c",
    );
  });

  it("pipes, and what is too long, are refused at once", async () => {
    execFileSync("mkfifo", [at("c/.dockerignore"), at("c/Dockerfile")]);
    expect(await check(".dockerignore")).toBe(
      "failed to read: open /c/.dockerignore: it is a named pipe, not a regular file",
    );
    await expect(resolveInputs({ context: at("c") }, "")).rejects.toThrow(/Dockerfile: it is a named pipe/);
    await writeFile(at("c/long"), "");
    await truncate(at("c/long"), 1e12);
    expect(await check("long")).toContain(
      "it has 1000000000000 bytes, and no more than 16777216 can be used",
    );
  });

  it("a Dockerfile that is named may be a pipe, and is waited for until the signal", async () => {
    execFileSync("mkfifo", [at("pipe")]);
    const signal = AbortSignal.timeout(100);
    await expect(resolveInputs({ context: at("c"), file: at("pipe") }, "", signal)).rejects.toMatchObject({
      code: "ABORTED",
    });
    const planned = resolveInputs({ context: at("c"), file: at("pipe") }, "");
    spawn("sh", ["-c", `echo FROM scratch >"$0"`, at("pipe")]);
    const { attrs, locals } = await planned;
    expect(attrs).toMatchObject({ dockerfilekey: "dockerfile", filename: "Dockerfile" });
    expect(locals.get("dockerfile")).toMatchObject({ type: "memory" });
    await expect(dockerfileFromPipe("/dev/zero")).rejects.toThrow(
      "failed to read dockerfile: open /dev/zero: it is larger than 16777216 bytes, the most that is read",
    );
    expect(await dockerfileFromPipe(at("c/Dockerfile"))).toBeUndefined();
  });

  it("standard input that is a directory is told as one", async () => {
    const directory = openSync(dir, "r");
    const stdin = Object.assign(Readable.from([]), { fd: directory });
    await expect(contextFromStdin(stdin)).rejects.toThrow("standard input is a directory; give its path");
    closeSync(directory);
  });

  it("a Dockerfile without an end on standard input is given up", async () => {
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(65536, "FROM scratch\n");
      })(),
    );
    await expect(contextFromStdin(endless)).rejects.toThrow(
      "cannot read the Dockerfile from standard input: it is larger than 16777216 bytes, the most that is read",
    );
  });
});
