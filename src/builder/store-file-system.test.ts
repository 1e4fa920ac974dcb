import { link, mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";
import { emptyNodeGroup } from "./node-group.js";
import { BuilderStore, type StoreOptions } from "./store.js";

// Files share a process and its modules: those that other files loaded are not mocked, and these are of no use to them.
vi.hoisted(() => vi.resetModules());
afterAll(() => void vi.resetModules());

vi.mock("node:fs/promises", { spy: true });

let dir: string;
let warnings: string[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-store-"));
  warnings = [];
});
afterEach(async () => {
  vi.resetAllMocks();
  await rm(dir, { recursive: true, force: true });
});

async function save(lock: StoreOptions["lock"] = {}) {
  const store = BuilderStore.open({}, { dir, lock, onWarning: (text) => void warnings.push(text) });
  const group = emptyNodeGroup("foo", "docker-container");
  for (let time = 0; time < 2; time++) await store.transaction((transaction) => transaction.save(group));
  return store.list();
}

test("STO-15 a directory on NFS is warned of, once, and used", async () => {
  const local = await statfs(dir);
  vi.mocked(statfs).mockResolvedValue(Object.assign(local, { type: 0x6969 }));
  expect(await save()).toMatchObject([{ name: "foo" }]);
  expect(warnings).toEqual([`${dir} is on NFS: its lock may not hold against processes on other machines`]);
});

test("STO-15 a file system that has neither locks nor links is told by name, with the way out", async () => {
  const unwritable = {
    code: "STORE_UNWRITABLE",
    message: expect.stringMatching(
      /^cannot lock .*\.lock: .*; BUILDX_CONFIG can name another directory/,
    ) as string,
  };
  const program = join(dir, "flock");
  await writeFile(program, "#!/bin/sh\nexit 71\n", { mode: 0o755 });
  await expect(save({ program })).rejects.toMatchObject(unwritable);
  const refusal = Object.assign(new Error("EPERM: operation not permitted, link"), {
    syscall: "link",
    code: "EPERM",
  });
  vi.mocked(link).mockRejectedValue(refusal);
  await expect(save({ program: "no-flock-here" })).rejects.toMatchObject(unwritable);
  expect(warnings).toEqual([]);
});
