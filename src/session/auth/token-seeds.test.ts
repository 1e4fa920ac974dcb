import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TokenSeeds } from "./token-seeds.js";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-seeds-"));
});
afterEach(async () => {
  await chmod(dir, 0o700);
  await rm(dir, { recursive: true });
});

test("SEC-65 seeds are kept by host in a private file that buildx reads", async () => {
  const deep = join(dir, "new", "docker");
  const seed = await new TokenSeeds(deep).get("r.example");
  expect(seed).toHaveLength(16);
  const path = join(deep, ".token_seed");
  expect(await readFile(path, "utf8")).toBe(
    `{\n  "r.example": {\n    "Seed": "${seed.toString("base64")}"\n  }\n}`,
  );
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await readdir(deep)).sort()).toEqual([".token_seed", ".token_seed.lock"]);
  expect(await new TokenSeeds(deep).get("r.example")).toEqual(seed);
});

test("SEC-65 another's seeds stay, and a known one is not written again", async () => {
  const path = join(dir, ".token_seed");
  const theirs = `{"x.example":{"Seed":"${Buffer.alloc(16, 1).toString("base64")}"}}`;
  await writeFile(path, theirs);
  expect(await new TokenSeeds(dir).get("x.example")).toEqual(Buffer.alloc(16, 1));
  expect(await readFile(path, "utf8")).toBe(theirs);
  await new TokenSeeds(dir).get("a.example");
  expect(Object.keys(JSON.parse(await readFile(path, "utf8")) as object)).toEqual(["a.example", "x.example"]);
});

test("SEC-65 parallel requests of several processes agree", async () => {
  const both = [new TokenSeeds(dir), new TokenSeeds(dir)];
  const hosts = ["a", "b", "c", "d"];
  const all = await Promise.all(both.map((seeds) => Promise.all(hosts.map((host) => seeds.get(host)))));
  expect(all[0]).toEqual(all[1]);
});

test("a file cut short by a crash is replaced", async () => {
  await writeFile(join(dir, ".token_seed"), '{"a":{"Seed":"AA');
  const seed = await new TokenSeeds(dir).get("a");
  expect(await new TokenSeeds(dir).get("a")).toEqual(seed);
});

test("where nothing can be written a seed lasts as long as its object", async () => {
  await writeFile(join(dir, "file"), "");
  const seeds = new TokenSeeds(join(dir, "file", "docker"));
  const seed = await seeds.get("a");
  expect(seed).toHaveLength(16);
  expect(await seeds.get("a")).toEqual(seed);
});

test("a call that is cancelled does not cancel another that asks for the same seed", async () => {
  const seeds = new TokenSeeds(dir);
  const cancelled = new AbortController();
  const first = seeds.get("r.example", cancelled.signal);
  const second = seeds.get("r.example", new AbortController().signal);
  cancelled.abort(new Error("not wanted"));
  await expect(first).rejects.toMatchObject({ code: "ABORTED" });
  expect(await second).toHaveLength(16);
});

test("SEC-70 a seed that others may have planted is not used, and none is left for them", async () => {
  const seed = await new TokenSeeds(dir).get("r.example");
  await chmod(dir, 0o777);
  expect(await new TokenSeeds(dir).get("r.example")).not.toEqual(seed);
  const names = await readdir(dir);
  await new TokenSeeds(dir).get("other.example");
  expect(await readdir(dir)).toEqual(names);
  expect(await readFile(join(dir, ".token_seed"), "utf8")).not.toContain("other.example");
});
