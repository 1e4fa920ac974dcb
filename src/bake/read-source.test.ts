import { execFileSync } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ReadBakeOptions, readBake } from "./read-bake.js";

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "slipway-bake-"));
  await writeFile(
    join(cwd, "compose.yaml"),
    "services: { a: { build: { context: ., args: [X] }, env_file: [vars] } }\n",
  );
  await writeFile(join(cwd, "include.yaml"), "include: [there]\n");
  await writeFile(join(cwd, "extends.yaml"), "services: { a: { extends: { file: there, service: b } } }\n");
});
afterEach(() => rm(cwd, { recursive: true }));

/** Each way by which a file comes to be read, and the name that it then has. */
const ways: [what: string, name: string, options: ReadBakeOptions, isNamed: boolean][] = [
  ["a definition that is named", "there", { files: ["there"] }, true],
  ["BUILDX_BAKE_FILE", "there", { env: { BUILDX_BAKE_FILE: "there" } }, true],
  ["a definition that is looked for", "docker-bake.override.hcl", {}, false],
  [".env", ".env", { files: ["compose.yaml"] }, false],
  ["env_file", "vars", { files: ["compose.yaml"], targets: ["a"] }, true],
  ["include", "there", { files: ["include.yaml"] }, true],
  ["extends", "there", { files: ["extends.yaml"], targets: ["a"] }, true],
];

const read = (options: ReadBakeOptions, signal?: AbortSignal) =>
  readBake({ cwd, env: {}, ...options, ...(signal && { signal }) });

test.each(ways)(
  "%s as a pipe that nobody writes ends with the signal, or at once",
  async (_, name, options, isNamed) => {
    execFileSync("mkfifo", [join(cwd, name)]);
    const controller = new AbortController();
    const reading = read(options, controller.signal);
    // A thread that waited in open(2) would hold up the process for ever.
    if (isNamed) setTimeout(() => controller.abort(), 50);
    await expect(reading).rejects.toMatchObject(
      isNamed ? { code: "ABORTED" } : { message: expect.stringContaining("named pipe") as string },
    );
  },
);

test.each(ways)("%s as a device without end is refused", async (_, name, options, isNamed) => {
  await symlink("/dev/zero", join(cwd, name));
  await expect(read(options)).rejects.toThrow(isNamed ? "larger than 16777216 bytes" : "it is a device");
});

test("a pipe is read once, also one that the environment names", async () => {
  const path = join(cwd, "pipe");
  execFileSync("mkfifo", [path]);
  const writing = writeFile(path, 'target "a" { target = "t" }');
  const plan = await read({ env: { BUILDX_BAKE_FILE: "pipe" }, targets: ["a"] });
  await writing;
  expect(plan.targets.get("a")).toMatchObject({ target: "t" });
});
