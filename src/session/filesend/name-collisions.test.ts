import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";
import { type SentEntry, goMode, sendTree } from "../../../test/support/fsutil-sender.js";
import { FakeServerCall } from "../../../test/support/server-call.js";
import { receiveDirectory } from "./directory-receiver.js";
import * as collisions from "./name-collisions.js";
import { closeDirectory, openRoot } from "../../fs/index.js";

// Files share a process and its modules: those that other files loaded are not mocked, and these are of no use to them.
vi.hoisted(() => vi.resetModules());
afterAll(() => void vi.resetModules());

vi.mock("./name-collisions.js", { spy: true });

let dest: string;

beforeEach(async () => {
  dest = await mkdtemp(join(tmpdir(), "slipway-names-"));
});
afterEach(async () => {
  vi.resetAllMocks();
  await rm(dest, { recursive: true, force: true });
});

/** Exports entries into `dest`, whose file system takes names for one as told. */
async function exportTo(folding: collisions.Folding | undefined, entries: SentEntry[]): Promise<string> {
  vi.mocked(collisions.probeFolding).mockReturnValue(folding);
  const call = new FakeServerCall("/moby.filesync.v1.FileSend/DiffCopy");
  const done = receiveDirectory(call, { type: "directory", path: dest })
    .then(
      () => "",
      (error: Error) => error.message,
    )
    .finally(() => call.end());
  const [message] = await Promise.all([done, sendTree(call, entries).catch(() => {})]);
  return message;
}

const both = { letterCase: true, composition: true };
const file = (path: string): SentEntry => ({ path, content: path });
const dir = (path: string): SentEntry => ({ path, mode: goMode.directory | 0o755 });

test("FLT-79 two names that a file system takes for one are an error, whatever they are", async () => {
  expect(await exportTo(both, [file("Readme"), file("readme")])).toBe(
    `cannot write ${dest}/readme: its file system takes it for ${dest}/Readme, which the export has too; export to a tar archive (type=tar) instead`,
  );
  expect(await exportTo(both, [dir("d"), dir("d/A"), dir("d/A/x"), dir("d/a")])).toContain(`${dest}/d/A,`);
  expect(await exportTo(both, [file("e\u0301"), file("\u00e9")])).toContain(`cannot write ${dest}/\u00e9:`);
});

test("FLT-79 names of different directories, and those that the file system tells apart, are none", async () => {
  expect(await exportTo(both, [dir("a"), file("a/x"), dir("b"), file("b/X")])).toBe("");
  expect(await exportTo({ letterCase: false, composition: true }, [file("X"), file("x")])).toBe("");
  expect(await exportTo(undefined, [file("Z"), file("e\u0301"), file("z"), file("\u00e9")])).toBe("");
  expect(await readdir(dest)).toHaveLength(8);
});

test("a file system that tells all names apart is found out without a trace", async () => {
  const directory = openRoot(dest);
  try {
    expect(collisions.probeFolding(directory)).toBeUndefined();
  } finally {
    closeDirectory(directory);
  }
  expect(await readdir(dest)).toEqual([]);
});
