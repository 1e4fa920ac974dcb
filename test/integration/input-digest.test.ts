import { chmod, rename, symlink, unlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { plan } from "../../src/index.js";
import { Workplace } from "../support/workplace.js";

/** What the input digest says of a context, against what BuildKit's own checksum of it does. */
let place: Workplace;
let builder: string;

beforeAll(async () => {
  place = await Workplace.open("digest");
  builder = await place.builder("b", "--driver-opt", "network=host");
});

afterAll(async () => {
  await place?.close();
});

/** A context like the others; every one of them is made at another time and place. */
async function makeContext(): Promise<string> {
  const dir = await place.context({
    Dockerfile: "FROM scratch\nCOPY . /all/\n",
    ".dockerignore": "*.log\n",
    "src/a": "content\n",
    "src/run": "#!/bin/sh\n",
    "noise.log": "noise\n",
  });
  await symlink("src/a", join(dir, "link"));
  return dir;
}

async function digest(dir: string): Promise<string> {
  return (await plan({ context: dir, env: place.env })).inputDigest;
}

/** True when every step of the build was in the cache. */
async function isCached(dir: string): Promise<boolean> {
  const { stderr } = await place.succeed(["build", "--builder", builder, "--progress", "plain", dir]);
  const step = /^(#\d+) \[1\/1\] COPY \. \/all\/$/m.exec(stderr)?.[1];
  expect(step).toBeDefined();
  return new RegExp(`^${step} CACHED$`, "m").test(stderr);
}

const changes: [what: string, change: (dir: string) => Promise<void>, matters: boolean][] = [
  ["nothing", async () => {}, false],
  ["times", (dir) => utimes(join(dir, "src/a"), new Date(1e12), new Date(1e12)), false],
  ["an ignored file", (dir) => writeFile(join(dir, "noise.log"), "more"), false],
  ["a byte", (dir) => writeFile(join(dir, "src/a"), "Content\n"), true],
  ["a mode", (dir) => chmod(join(dir, "src/run"), 0o755), true],
  ["a name", (dir) => rename(join(dir, "src/a"), join(dir, "src/b")), true],
  [
    "a link",
    async (dir) => {
      await unlink(join(dir, "link"));
      await symlink("src/run", join(dir, "link"));
    },
    true,
  ],
];

test("equal digests are equal contexts to BuildKit, and different ones are not", async () => {
  const first = await makeContext();
  const base = await digest(first);
  expect(await isCached(first)).toBe(false);
  for (const [what, change, matters] of changes) {
    const dir = await makeContext();
    await change(dir);
    expect([what, (await digest(dir)) !== base]).toEqual([what, matters]);
    expect([what, await isCached(dir)]).toEqual([what, !matters]);
  }
});
