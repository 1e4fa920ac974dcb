import { execFileSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ByteString, toPath } from "./bytes.js";
import { diskSource } from "./disk-source.js";
import { type FilterOptions, TreeFilter } from "./filter.js";
import { goMode } from "./go-mode.js";
import { type TreeSource, directoryMark } from "./tree-source.js";
import { TreeWalker, WalkError, type WalkEntry } from "./walk.js";
import { walkTree } from "./walk-tree.js";

let root: string;
beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "slipway-walk-"));
});
afterEach(() => {
  fs.rmSync(root, { recursive: true, force: true });
});

function walk(source: TreeSource, options: FilterOptions = {}): WalkEntry[] {
  const walker = new TreeWalker(source, new TreeFilter(source, options));
  const entries: WalkEntry[] = [];
  for (let entry = walker.next(); entry; entry = walker.next()) {
    if (entry !== "pause") entries.push(entry);
  }
  return entries;
}

const paths = (entries: WalkEntry[]) => entries.map((entry) => entry.path);
const at = (path: ByteString) => toPath(`${root}/${path}`);

function write(...files: ByteString[]): void {
  for (const file of files) {
    fs.mkdirSync(toPath(`${root}/${file}/..`.replace(/[^/]+\/\.\.$/, "")), { recursive: true });
    fs.writeFileSync(at(file), "data");
  }
}

function error(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: made up`), { code });
}

/** The source with some calls failing, as they do for users who are not root. */
function failing(source: TreeSource, call: "list" | "lstat", codes: Record<ByteString, string>): TreeSource {
  return {
    ...source,
    [call]: (path: ByteString) => {
      const code = codes[path];
      if (code !== undefined) throw error(code);
      return source[call](path);
    },
  };
}

describe("against recorded walks of fsutil", () => {
  interface Spec {
    path: ByteString;
    k: "dir" | "file" | "hard" | "sym" | "fifo" | "mode";
    size?: number;
    to?: ByteString;
    mode?: number;
  }
  interface Recorded {
    entries: Spec[];
    walks: (FilterOptions & { follow?: ByteString[]; out: [ByteString, number, number, ByteString][] })[];
  }
  const data = new URL("../../test/data/tree-walks.json", import.meta.url);
  const trees = JSON.parse(fs.readFileSync(data, "utf8")) as Recorded[];

  function make({ path, k, size = 0, to = "", mode = 0o644 }: Spec): void {
    const file = at(path);
    if (k === "dir") fs.mkdirSync(file, 0o755);
    else if (k === "sym") fs.symlinkSync(toPath(to), file);
    else if (k === "hard") fs.linkSync(at(to), file);
    else if (k === "fifo") {
      execFileSync("mkfifo", ["-m", "644", `${root}-fifo`]);
      fs.renameSync(`${root}-fifo`, file);
    } else {
      fs.writeFileSync(file, "x".repeat(size));
      fs.chmodSync(file, mode);
    }
  }

  test.each(trees.map((tree, index) => ({ tree, index })))("tree $index", ({ tree }) => {
    for (const entry of tree.entries) make(entry);
    const source = diskSource(root);
    for (const { out, follow, ...filter } of tree.walks) {
      const found = walk(source, { ...filter, followPaths: follow });
      expect(
        found.map(({ path, mode, size, linkname }) => [path, mode, Number(size), linkname]),
        JSON.stringify({ ...filter, follow }),
      ).toEqual(out);
    }
  });
});

test("FLT-63 FLT-64 FLT-65 names of any bytes come in byte order", () => {
  const names = ["\x01", " sp ", "-x", "\\b", "a\nb", "[x]", "\xee\x80\x80", "\xf0\x90\x80\x80", "\xff\xfe"];
  write(...names);
  expect(paths(walk(diskSource(root)))).toEqual([...names].sort());
});

test("FLT-57 hard links point at the first entry given out, by device and inode", () => {
  write("a/first", "z");
  fs.linkSync(at("a/first"), at("b"));
  fs.linkSync(at("a/first"), at("c"));
  const links = (options: FilterOptions) => walk(diskSource(root), options).map((e) => [e.path, e.linkname]);
  expect(links({})).toEqual([
    ["a", ""],
    ["a/first", ""],
    ["b", "a/first"],
    ["c", "a/first"],
    ["z", ""],
  ]);
  expect(links({ exclude: ["a"] })).toEqual([
    ["b", ""],
    ["c", "b"],
    ["z", ""],
  ]);
  const source = diskSource(root);
  const twoDevices: TreeSource = {
    ...source,
    lstat: (path) => {
      const stat = source.lstat(path);
      return stat && { ...(stat as object), mode: stat.mode, dev: path === "c" ? 77n : stat.dev };
    },
  } as TreeSource;
  expect(walk(twoDevices).find((entry) => entry.path === "c")?.linkname).toBe("");
});

test("FLT-58 a socket is an empty regular file", async () => {
  const server = net.createServer().listen(join(root, "socket"));
  await new Promise((resolve) => server.once("listening", resolve));
  const [entry] = walk(diskSource(root));
  expect(entry).toMatchObject({ path: "socket", socket: true, size: 0n });
  expect((entry?.mode ?? 0) & goMode.type).toBe(0);
  await new Promise((resolve) => server.close(resolve));
});

test("FLT-66 FLT-55 times and sizes are exact", () => {
  write("old", "new", "large");
  execFileSync("touch", ["-d", "1969-12-31T23:59:58.500000001Z", join(root, "old")]);
  execFileSync("touch", ["-d", "2200-01-01T00:00:00.123456789Z", join(root, "new")]);
  fs.truncateSync(join(root, "large"), 5 * 2 ** 30 + 1);
  const found = new Map(walk(diskSource(root)).map((entry) => [entry.path, entry]));
  expect(found.get("old")?.stat.mtimeNs).toBe(-1_499_999_999n);
  expect(found.get("new")?.stat.mtimeNs).toBe(7_258_118_400_123_456_789n);
  expect(found.get("large")?.size).toBe(5_368_709_121n);
});

test("FLT-51 all unreadable directories are named at once, up to ten, but those that are ignored", () => {
  const dirs = Array.from({ length: 12 }, (_, i) => `d${String(i).padStart(2, "0")}`);
  write(...dirs.map((dir) => `${dir}/file`));
  const codes = Object.fromEntries(dirs.map((dir) => [dir, "EACCES"]));
  const source = failing(diskSource(root), "list", codes);
  const caught = catchError(() => walk(source, { exclude: ["d00"] }));
  expect(caught).toBeInstanceOf(WalkError);
  expect((caught as WalkError).paths).toEqual(dirs.slice(1, 11));
  expect(paths(walk(source, { exclude: ["d*"] }))).toEqual([]);
  expect(paths(walk(source, { exclude: ["d*", "!d*/none"] }))).toEqual([]);
  const one = failing(diskSource(root), "list", { d05: "EACCES" });
  expect(catchError(() => walk(one))).toMatchObject({ message: "open d05: permission denied" });
  expect(() => walk(failing(diskSource(root), "list", { "": "EACCES" }))).toThrow(
    "open .: permission denied",
  );
});

test("FLT-52 what vanishes during the walk is left out, and what stands beside it is kept", () => {
  write("a", "b/c", "d/e", "f");
  const source = diskSource(root);
  const vanishing: TreeSource = {
    ...source,
    lstat: (path) => (path === "a" || path === "b/c" ? undefined : source.lstat(path)),
    list: (path) => {
      if (path === "d") throw error("ENOENT");
      return source.list(path);
    },
  };
  expect(paths(walk(vanishing))).toEqual(["b", "d", "f"]);
});

test("FLT-80 any other failure ends the walk and names the path", () => {
  write("a/b");
  const source = failing(diskSource(root), "lstat", { "a/b": "EIO" });
  expect(() => walk(source)).toThrow("a/b: input/output error");
});

test("FLT-68 a path deeper than the system takes is an error, not a crash", () => {
  const names = Array.from({ length: 40 }, () => "n".repeat(90));
  fs.mkdirSync(join(root, ...names), { recursive: true });
  expect(walk(diskSource(root))).toHaveLength(40);
  const source = failing(diskSource(root), "list", { [names.slice(0, 3).join("/")]: "ENAMETOOLONG" });
  expect(() => walk(source)).toThrow("path too long");
});

test("FLT-73 a directory that contains itself without end is an error", () => {
  const stat = diskSource(root).lstat("");
  const endless: TreeSource = {
    list: () => [`a${directoryMark}`],
    lstat: () => stat,
    readlink: () => undefined,
  };
  expect(() => walk(endless)).toThrow(/contains itself$/);
});

test("FLT-74 the root may be a symbolic link; a file or nothing is refused", () => {
  write("real/a");
  fs.symlinkSync("real", at("link"));
  expect(paths(walk(diskSource(join(root, "link"))))).toEqual(["a"]);
  expect(() => diskSource(join(root, "real/a"))).toThrow("is not a directory");
  expect(() => diskSource(join(root, "none"))).toThrow(/cannot use directory/);
});

test("MEM-1 the walk of a deep tree needs no stack", () => {
  const stat = diskSource(root).lstat("");
  let ino = 0n;
  const deep: TreeSource = {
    list: (path) => (path.length < 4000 ? [`a${directoryMark}`] : []),
    lstat: () => stat && ({ ...(stat as object), mode: stat.mode, nlink: 1n, ino: ++ino } as typeof stat),
    readlink: () => undefined,
  };
  expect(walk(deep)).toHaveLength(2001);
});

test("MEM-8 next gives way at the deadline", () => {
  write(...Array.from({ length: 100 }, (_, i) => `f${i}`));
  const source = diskSource(root);
  const walker = new TreeWalker(source, new TreeFilter(source, { include: ["nothing"] }));
  expect(walker.next(performance.now() - 1)).toBe("pause");
});

test("walkTree can be left early and aborted", async () => {
  write("a", "b");
  const source = diskSource(root);
  for await (const entry of walkTree(source)) {
    expect(entry.path).toBe("a");
    break;
  }
  const aborted = walkTree(source, { signal: AbortSignal.abort("enough") });
  await expect(aborted.next()).rejects.toMatchObject({ code: "ABORTED", cause: "enough" });
});

function catchError(work: () => unknown): unknown {
  try {
    work();
  } catch (caught) {
    return caught;
  }
  return undefined;
}

test("MEM-1 MEM-8 a large directory is read in batches, and closed when the walk is given up", () => {
  write("x");
  const disk = diskSource(root);
  const stat = disk.lstat("");
  let open = 0;
  const large: TreeSource = {
    ...disk,
    list: () => {
      throw new Error("not for a large directory");
    },
    lstat: (path) =>
      stat &&
      ({ ...(stat as object), size: 2n ** 20n, mode: path === "" ? stat.mode : 0o100644n } as typeof stat),
    *batches() {
      open++;
      try {
        for (let i = 9; i >= 0; i--) yield [`b${i}`, `a${i}`];
      } finally {
        open--;
      }
    },
  };
  const digits = Array.from({ length: 10 }, (_, i) => String(i));
  expect(paths(walk(large))).toEqual([...digits.map((i) => `a${i}`), ...digits.map((i) => `b${i}`)]);
  const walker = new TreeWalker(large, new TreeFilter(large, {}));
  expect(walker.next(performance.now() - 1)).toBe("pause");
  expect(open).toBe(1);
  walker.close();
  expect(open).toBe(0);
  expect(walker.next()).toBeUndefined();
  expect([...(disk.batches?.("") ?? [])]).toEqual([["x"]]);
});
