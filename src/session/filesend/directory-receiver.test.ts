import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asOtherUser } from "../../../test/support/other-user.js";
import {
  type SentEntry,
  dataPacket,
  errPacket,
  finPacket,
  goMode,
  received,
  sendTree,
  statPacket,
} from "../../../test/support/fsutil-sender.js";
import { FakeServerCall } from "../../../test/support/server-call.js";
import { type ExportLimits, receiveDirectory } from "./directory-receiver.js";
import { ExportError } from "./export-error.js";

const { directory, symlink: link } = goMode;
let base: string;
let dest: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "slipway-export-"));
  dest = join(base, "dest");
});
afterEach(async () => {
  await rm(base, { recursive: true, force: true });
});

function newCall(): FakeServerCall {
  return new FakeServerCall("/moby.filesync.v1.FileSend/DiffCopy");
}

async function exportTree(entries: SentEntry[], mode?: "copy" | "delete"): Promise<void> {
  const call = newCall();
  const target = { type: "directory" as const, path: dest, ...(mode && { mode }) };
  const done = receiveDirectory(call, target).finally(() => call.end());
  await Promise.all([done, sendTree(call, entries)]);
  call.cancel();
}

/** Sends raw packets and gives what the receiver threw and told the daemon. */
async function reject(packets: Buffer[], limits?: ExportLimits): Promise<{ thrown: string; told: string }> {
  const call = newCall();
  for (const packet of packets) call.send(packet);
  call.endInput();
  const thrown = await receiveDirectory(call, { type: "directory", path: dest }, limits).then(
    () => "",
    (error: Error) => error.message,
  );
  return { thrown, told: received(call).error ?? "" };
}

async function tree(path: string, prefix = ""): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(path, { withFileTypes: true })) {
    names.push(prefix + entry.name);
    if (entry.isDirectory()) names.push(...(await tree(join(path, entry.name), `${prefix}${entry.name}/`)));
  }
  return names.sort();
}

describe("a directory export", () => {
  it.runIf(process.getuid?.() === 0)(
    "FLT-91 a destination that cannot be listed is told by its path",
    async () => {
      await chmod(base, 0o755);
      await mkdir(dest, { mode: 0o333 });
      await chmod(dest, 0o333);
      process.seteuid?.(12_345);
      try {
        await expect(exportTree([], "delete")).rejects.toThrow(`scandir ${dest}: permission denied (EACCES)`);
      } finally {
        process.seteuid?.(0);
      }
    },
  );

  it("writes files, directories, links, modes and times", async () => {
    const mtime = 1_600_000_000_123_456_789n;
    await exportTree([
      { path: "d", mode: directory | 0o555, mtime },
      { path: "d/a", mode: 0o640, content: "hello", mtime },
      { path: "d/empty", mode: 0o600, content: "" },
      { path: "d/hard", mode: 0o640, linkname: "d/a" },
      { path: "d.txt", content: Buffer.alloc(100_000, 7) },
      { path: "s", mode: link | 0o777, linkname: "../nowhere", mtime },
      { path: "tool", mode: goMode.setuid | goMode.setgid | 0o755, content: "x" },
    ]);
    expect(await tree(dest)).toEqual(["d", "d.txt", "d/a", "d/empty", "d/hard", "s", "tool"]);
    expect(await readFile(join(dest, "d/a"), "utf8")).toBe("hello");
    const file = await stat(join(dest, "d/a"), { bigint: true });
    expect(file.mode & 0o7777n).toBe(0o640n);
    expect(file.mtimeNs / 1000n).toBe(1_600_000_000_123_456n);
    expect((await stat(join(dest, "d/hard"), { bigint: true })).ino).toBe(file.ino);
    const dir = await stat(join(dest, "d"), { bigint: true });
    expect(dir.mode & 0o7777n).toBe(0o555n);
    expect(dir.mtimeNs / 1000n).toBe(1_600_000_000_123_456n);
    expect(await readlink(join(dest, "s"))).toBe("../nowhere");
    expect((await lstat(join(dest, "s"), { bigint: true })).mtimeNs / 1000n).toBe(1_600_000_000_123_456n);
    expect((await stat(join(dest, "tool"))).mode & 0o7777).toBe(0o6755);
    expect((await stat(join(dest, "d.txt"))).size).toBe(100_000);
  });

  it("FLT-95 makes the destination with mode 0700, parents too", async () => {
    dest = join(base, "x/y");
    await exportTree([]);
    expect((await stat(join(base, "x"))).mode & 0o777).toBe(0o700);
    expect((await stat(dest)).mode & 0o777).toBe(0o700);
  });

  it("FLT-66 keeps times before 1970 and far ahead", async () => {
    await exportTree([
      { path: "future", content: "", mtime: 7_258_118_400_000_001_000n },
      { path: "past", content: "", mtime: -1_500_000_000n },
    ]);
    expect((await stat(join(dest, "past"), { bigint: true })).mtimeNs).toBe(-1_500_000_000n);
    const future = (await stat(join(dest, "future"), { bigint: true })).mtimeNs;
    expect(Number(future - 7_258_118_400_000_001_000n)).toBeLessThanOrEqual(1000);
  });

  it("FLT-66 keeps times to the microsecond", async () => {
    const times = Array.from({ length: 200 }, (_, index) => BigInt(index) * 20_613_999_123_457n + 1n);
    await exportTree(
      times.map((time, index) => ({
        path: String(index).padStart(3, "0"),
        content: "",
        mtime: time * 1000n,
      })),
    );
    const kept = await Promise.all(
      times.map(async (_, index) => stat(join(dest, String(index).padStart(3, "0")), { bigint: true })),
    );
    expect(kept.map(({ mtimeNs }) => mtimeNs / 1000n)).toEqual(times);
  });

  it("FLT-63 keeps names that are not UTF-8, and FLT-64 odd ones", async () => {
    const names = [Buffer.from("a\nb"), Buffer.from("c\\d*[]?"), Buffer.from([0xff, 0xfe, 0x80])];
    await exportTree(names.map((path) => ({ path, content: "x" })));
    expect((await readdir(dest, { encoding: "buffer" })).sort((a, b) => a.compare(b))).toEqual(names);
  });

  it("FLT-68 takes deep trees", async () => {
    const entries: SentEntry[] = [];
    for (let depth = 1, path = ""; depth <= 40; depth++) {
      path = path ? `${path}/${"n".repeat(90)}` : "n".repeat(90);
      entries.push({ path, mode: directory | 0o755 });
      if (depth === 40) entries.push({ path: `${path}/f`, content: "deep" });
    }
    await exportTree(entries);
    expect(await readFile(join(dest, entries.at(-1)?.path as string), "utf8")).toBe("deep");
  });

  it("MEM-4 opens few files and directories, however many there are", async () => {
    const entries: SentEntry[] = [];
    const big = Buffer.alloc(300 * 1024, 1);
    for (let d = 100; d < 400; d++) {
      entries.push({ path: `d${d}`, mode: directory | 0o755 });
      entries.push({ path: `d${d}/f`, content: d % 10 === 0 ? big : `file ${d}` });
    }
    const before = (await readdir("/proc/self/fd")).length;
    let most = 0;
    const call = newCall();
    const done = receiveDirectory(call, { type: "directory", path: dest }).finally(() => call.end());
    const watch = async () => {
      while (!call.status) {
        most = Math.max(most, (await readdir("/proc/self/fd")).length);
        await call.until(() => true);
      }
    };
    await Promise.all([done, sendTree(call, entries), watch()]);
    expect(most - before).toBeLessThan(128);
    expect((await readdir("/proc/self/fd")).length).toBeLessThanOrEqual(before);
    expect(await readFile(join(dest, "d399/f"), "utf8")).toBe("file 399");
    expect((await stat(join(dest, "d390/f"))).size).toBe(big.length);
  });

  it("merges into what is there, replacing what stands in the way", async () => {
    await mkdir(join(dest, "dir-to-file/sub"), { recursive: true });
    await writeFile(join(dest, "dir-to-file/sub/x"), "x");
    await writeFile(join(dest, "file-to-dir"), "x");
    await writeFile(join(dest, "same"), "old", { mode: 0o400 });
    await writeFile(join(dest, "other"), "kept");
    await mkdir(join(dest, "to-link"));
    const entries: SentEntry[] = [
      { path: "dir-to-file", content: "now a file" },
      { path: "file-to-dir", mode: directory | 0o755 },
      { path: "file-to-dir/x", content: "inside" },
      { path: "hard", linkname: "dir-to-file" },
      { path: "same", content: "new" },
      { path: "to-link", mode: link | 0o777, linkname: "same" },
    ];
    await exportTree(entries);
    await exportTree(entries);
    expect(await tree(dest)).toEqual([
      "dir-to-file",
      "file-to-dir",
      "file-to-dir/x",
      "hard",
      "other",
      "same",
      "to-link",
    ]);
    expect(await readFile(join(dest, "hard"), "utf8")).toBe("now a file");
    expect(await readFile(join(dest, "to-link"), "utf8")).toBe("new");
    expect(await readFile(join(dest, "other"), "utf8")).toBe("kept");
  });

  it("mode=delete removes what the export does not have", async () => {
    await mkdir(join(dest, "a/deep/er"), { recursive: true });
    await mkdir(join(dest, "gone/deep"), { recursive: true });
    await mkdir(join(base, "outside"));
    await writeFile(join(base, "outside/victim"), "safe");
    await symlink(join(base, "outside"), join(dest, "zlink"));
    await symlink(join(base, "outside"), join(dest, "gone/link"));
    for (const name of ["a/0", "a/m", "a/z", "a/deep/er/x", "gone/deep/x", "k", "a.b"]) {
      await writeFile(join(dest, name), "old");
    }
    await exportTree(
      [
        { path: "a", mode: directory | 0o755 },
        { path: "a/m", content: "new" },
        { path: "k", content: "new" },
        { path: "new", mode: directory | 0o755 },
      ],
      "delete",
    );
    expect(await tree(dest)).toEqual(["a", "a/m", "k", "new"]);
    expect(await readFile(join(dest, "a/m"), "utf8")).toBe("new");
    expect(await readFile(join(base, "outside/victim"), "utf8")).toBe("safe");
  });

  it("takes the end of the stream or a cancel after our FIN for success", async () => {
    for (const ending of ["end", "cancel"] as const) {
      const call = newCall();
      const done = receiveDirectory(call, { type: "directory", path: dest });
      call.send(statPacket());
      await call.until(() => received(call).fin);
      if (ending === "end") call.endInput();
      else call.cancel();
      await done;
    }
  });

  it("several transfers share a directory", async () => {
    const one = (name: string): SentEntry[] => [
      { path: "common", mode: directory | 0o755 },
      { path: "common/f", content: name },
      { path: name, mode: directory | 0o755 },
      { path: `${name}/f`, content: name },
    ];
    await Promise.all(["linux_amd64", "linux_arm64", "linux_s390x"].map((name) => exportTree(one(name))));
    expect(await tree(dest)).toEqual([
      "common",
      "common/f",
      ...["linux_amd64", "linux_arm64", "linux_s390x"].flatMap((name) => [name, `${name}/f`]),
    ]);
  });
});

describe("SEC-1 paths that are not clean and relative", () => {
  it.each([
    "",
    "/abs",
    "..",
    ".",
    "../x",
    "a//b",
    "a/./b",
    "a/../b",
    "a/",
    "nul\0byte",
    "n".repeat(256),
    "deep/".repeat(900) + "x",
  ])("%j is refused", async (path) => {
    const { thrown, told } = await reject([
      statPacket({ path: "a", mode: directory | 0o755 }),
      statPacket({ path, content: "" } as SentEntry),
    ]);
    expect(thrown).not.toBe("");
    expect(told).toBe(thrown);
    expect(await tree(base)).toEqual(["dest", "dest/a"]);
  });
});

it("a refused export leaves the directories that it made with their modes", async () => {
  await mkdir(join(base, "dest/kept"), { recursive: true, mode: 0o755 });
  const { thrown } = await reject([
    statPacket({ path: "a", mode: directory | 0o755 }),
    statPacket({ path: "a/b", mode: directory | 0o750 }),
    statPacket({ path: "kept", mode: directory | 0o755 }),
    statPacket({ path: "a", mode: directory | 0o755 }),
  ]);
  expect(thrown).toMatch(/out of order/);
  const modes = ["a", "a/b", "kept"].map(async (name) => (await stat(join(dest, name))).mode & 0o777);
  expect(await Promise.all(modes)).toEqual([0o755, 0o750, 0o755]);
});

describe("SEC-2 order and parents", () => {
  const dir = (path: string) => statPacket({ path, mode: directory | 0o755 });
  const file = (path: string) => statPacket({ path });
  it.each<[string, Buffer[]]>([
    ["files out of order", [file("b"), file("a")]],
    ["a file twice", [file("a"), file("a")]],
    ["a directory twice", [dir("a"), dir("a")]],
    ["a child before its directory", [file("a/b")]],
    ["a file as a parent", [file("a"), file("a/b")]],
    ["a link as a parent", [statPacket({ path: "a", mode: link | 0o777, linkname: "/" }), file("a/b")]],
    ["a directory left and entered again", [dir("a"), file("a/x"), file("b"), file("a/y")]],
    ["children out of order", [dir("a"), file("a/y"), file("a/x")]],
    ["dot sorted before slash", [dir("a"), file("a.txt"), file("a/b")]],
    ["a grandchild without its directory", [dir("a"), file("a/b/c")]],
  ])("%s: refused", async (_name, packets) => {
    const { thrown, told } = await reject(packets);
    expect(thrown).toMatch(/out of order/);
    expect(told).toBe(thrown);
  });

  it("byte order with slash lowest is taken", async () => {
    await exportTree([
      { path: "a", mode: directory | 0o755 },
      { path: "a/z", content: "" },
      { path: "a.txt", content: "" },
      { path: "ab", content: "" },
      { path: "\ue000", content: "" },
      { path: "\u{10000}", content: "" },
    ]);
    expect((await readdir(dest)).length).toBe(5);
  });
});

describe("SEC-3 links in the destination", () => {
  it("are replaced, not followed", async () => {
    const outside = join(base, "outside");
    await mkdir(outside);
    await mkdir(dest);
    await writeFile(join(outside, "victim"), "safe", { mode: 0o600 });
    await symlink(outside, join(dest, "sub"));
    await symlink(join(outside, "victim"), join(dest, "file"));
    await symlink(join(outside, "new"), join(dest, "dangling"));
    await exportTree([
      { path: "dangling", content: "mine" },
      { path: "file", content: "mine" },
      { path: "sub", mode: directory | 0o700 },
      { path: "sub/victim", content: "mine" },
    ]);
    expect(await tree(outside)).toEqual(["victim"]);
    expect(await readFile(join(outside, "victim"), "utf8")).toBe("safe");
    expect((await lstat(join(dest, "sub"))).isDirectory()).toBe(true);
    expect((await lstat(join(dest, "file"))).isFile()).toBe(true);
    expect(await readFile(join(dest, "dangling"), "utf8")).toBe("mine");
  });

  it("are not followed in a second run either", async () => {
    const outside = join(base, "outside");
    await mkdir(outside);
    await exportTree([{ path: "link", mode: link | 0o777, linkname: outside }]);
    await exportTree([
      { path: "link", mode: directory | 0o755 },
      { path: "link/f", content: "x" },
    ]);
    expect(await tree(outside)).toEqual([]);
    expect(await tree(dest)).toEqual(["link", "link/f"]);
  });
});

describe("SEC-4 a destination that others change meanwhile", () => {
  it("nothing is written outside while a directory and a link take turns", async () => {
    const outside = join(base, "outside");
    await mkdir(outside);
    await mkdir(join(dest, "a"), { recursive: true });
    await symlink(outside, join(base, "link"));
    const source = `
      const { parentPort, workerData } = require("node:worker_threads");
      const { renameSync } = require("node:fs");
      const { a, link, aside } = workerData;
      const move = (from, to) => { try { renameSync(from, to); } catch {} };
      let turns = 0;
      for (;;) {
        move(a, aside); move(link, a);
        move(a, link); move(aside, a);
        if (++turns === 1) parentPort.postMessage("running");
      }`;
    const workerData = { a: join(dest, "a"), link: join(base, "link"), aside: join(base, "aside") };
    const flipper = new Worker(source, { eval: true, workerData });
    await new Promise((resolve) => flipper.once("message", resolve));
    const entries = [
      { path: "a", mode: directory | 0o755 },
      { path: "a/b", mode: directory | 0o755 },
      { path: "a/b/f", content: "inside" },
      { path: "a/f", content: "inside" },
    ];
    let done = 0;
    for (let run = 0; run < 300; run++) {
      // An export may fail when its directory is gone; what counts is where nothing was written.
      await exportTree(entries).then(
        () => done++,
        () => {},
      );
    }
    await flipper.terminate();
    expect(await tree(outside)).toEqual([]);
    expect(done).toBeGreaterThan(0);
  });
});

describe("SEC-29 bytes that are no packets", () => {
  it("end the transfer with an error of the protocol, nothing else", async () => {
    let state = 12345;
    const random = (below: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 8) % below;
    };
    const seeds = [
      statPacket({ path: "d", mode: directory | 0o755 }),
      statPacket({ path: "d/f", size: 3, mtime: -1n, linkname: "x" }),
      dataPacket(1, "abc"),
      errPacket("x"),
    ];
    for (let round = 0; round < 3000; round++) {
      const packets = seeds.slice(0, 1 + random(4)).map((seed) => {
        const bytes = Buffer.from(seed);
        for (let change = random(4); change > 0; change--) bytes[random(bytes.length)] = random(256);
        return bytes.subarray(0, bytes.length - (random(4) === 0 ? random(bytes.length) : 0));
      });
      const call = newCall();
      for (const packet of packets) call.send(packet);
      call.endInput();
      await receiveDirectory(call, { type: "directory", path: dest }).catch((error: unknown) => {
        expect(error).toBeInstanceOf(ExportError);
      });
    }
    expect(await readdir(base)).toEqual(["dest"]);
  });
});

describe("SEC-5 hard links", () => {
  it.each<[string, Buffer[]]>([
    ["to a file not announced", [statPacket({ path: "a", linkname: "b" })]],
    ["to itself", [statPacket({ path: "a", linkname: "a" })]],
    [
      "to a directory",
      [statPacket({ path: "a", mode: directory | 0o755 }), statPacket({ path: "b", linkname: "a" })],
    ],
    [
      "to a link",
      [statPacket({ path: "a", mode: link, linkname: "x" }), statPacket({ path: "b", linkname: "a" })],
    ],
    ["out of the tree", [statPacket({ path: "a", linkname: "../x" })]],
    ["to an absolute path", [statPacket({ path: "a", linkname: "/etc/passwd" })]],
  ])("%s: refused", async (_name, packets) => {
    const { thrown, told } = await reject(packets);
    expect(thrown).not.toBe("");
    expect(told).toBe(thrown);
  });

  it("to a file that was there before the export: refused", async () => {
    await mkdir(dest);
    await writeFile(join(dest, "secret"), "x");
    const { thrown } = await reject([statPacket({ path: "a", linkname: "secret" })]);
    expect(thrown).toMatch(/unknown path/);
  });
});

describe("SEC-6 special files", () => {
  it.each([
    ["device", goMode.device | 0o600],
    ["device", goMode.device | goMode.charDevice | 0o600],
    ["named pipe", goMode.namedPipe | 0o600],
    ["special file", goMode.socket | 0o600],
    ["special file", 0x0008_0000 | 0o600],
    ["special file", directory | link | 0o600],
  ])("a %s is refused", async (kind, mode) => {
    const { thrown, told } = await reject([statPacket({ path: "x", mode })]);
    expect(thrown).toBe(`refusing to create ${kind} "x"`);
    expect(told).toBe(thrown);
    expect(await tree(dest)).toEqual([]);
  });
});

describe("SEC-8 what a correct daemon does not send", () => {
  const file = statPacket({ path: "f", size: 4 });
  it.each<[string, Buffer[], RegExp]>([
    ["more bytes than announced", [file, dataPacket(0, "hello")], /more bytes/],
    ["fewer bytes than announced", [file, dataPacket(0, "hel"), dataPacket(0)], /ended after 3 of the 4/],
    ["an unknown id", [file, dataPacket(7, "x")], /invalid file request 7/],
    [
      "content of a directory",
      [statPacket({ path: "d", mode: directory }), dataPacket(0, "x")],
      /invalid file/,
    ],
    [
      "content after its end",
      [file, dataPacket(0, "1234"), dataPacket(0), dataPacket(0, "x")],
      /invalid file/,
    ],
    ["a second end of the listing", [statPacket(), statPacket()], /end of the listing/],
    ["an entry after the listing", [statPacket(), file], /end of the listing/],
    ["a negative size", [statPacket({ path: "f", size: -1n })], /size -1/],
    ["a size beyond 2^53", [statPacket({ path: "f", size: 2n ** 60n })], /size/],
    ["FIN too early", [file, finPacket()], /before it was complete/],
    ["an unknown packet", [Buffer.from([8, 9])], /type 9/],
    ["a request", [Buffer.from([8, 1])], /type 1/],
    ["a truncated packet", [Buffer.from([0x12, 0x7f, 1])], /malformed/],
    ["a varint without an end", [Buffer.alloc(12, 0xff)], /malformed/],
    ["the end of the stream", [file], /incomplete export/],
  ])("%s is an error", async (_name, packets, message) => {
    const { thrown, told } = await reject(packets);
    expect(thrown).toMatch(message);
    expect(told).toBe(thrown);
    expect((await tree(dest)).filter((name) => name.includes("part"))).toEqual([]);
  });

  it("limits the number of entries, the bytes and the depth", async () => {
    const dirs = ["a", "a/a", "a/a/a"].map((path) => statPacket({ path, mode: directory | 0o755 }));
    expect((await reject(dirs, { maxEntries: 2 })).thrown).toMatch(/more than 2 entries/);
    expect((await reject(dirs, { maxDepth: 2 })).thrown).toMatch(/deeper than 2/);
    expect((await reject([statPacket({ path: "f", size: 11 })], { maxBytes: 10 })).thrown).toMatch(
      /more than 10 bytes/,
    );
  });

  it("an error of the sender is passed on and not sent back", async () => {
    expect(await reject([errPacket("disk on fire")])).toEqual({
      thrown: "error from sender: disk on fire",
      told: "",
    });
  });
});

describe("FLT-9 a transfer that breaks off", () => {
  it("leaves no torn file under its name and no temporary", async () => {
    await mkdir(dest);
    await writeFile(join(dest, "small"), "before");
    const { thrown } = await reject([
      statPacket({ path: "big", size: 1_000_000 }),
      statPacket({ path: "small", size: 10 }),
      dataPacket(0, Buffer.alloc(500_000)),
      dataPacket(1, "12345"),
    ]);
    expect(thrown).toMatch(/incomplete export/);
    expect(await tree(dest)).toEqual(["small"]);
    expect(await readFile(join(dest, "small"), "utf8")).toBe("before");
  });

  it("is cancelled by the call's signal", async () => {
    const call = newCall();
    const done = receiveDirectory(call, { type: "directory", path: dest });
    call.send(statPacket({ path: "big", size: 1_000_000 }));
    call.send(dataPacket(0, Buffer.alloc(500_000)));
    await call.until(() => call.unread === 0);
    call.cancel();
    await expect(done).rejects.toThrow(/aborted/);
    expect(await tree(dest)).toEqual([]);
  });
});

describe("FLT-92 errors of the local disk", () => {
  it("FLT-91 a destination that is a file is named", async () => {
    await writeFile(dest, "");
    const { thrown } = await reject([]);
    expect(thrown).toContain(dest);
  });

  it("name the path", async () => {
    await mkdir(dest);
    await chmod(dest, 0o500);
    const { thrown, told } = await asOtherUser([base, dest], () =>
      reject([statPacket({ path: "x", mode: directory | 0o755 })]),
    );
    expect(thrown).toContain(`${dest}/x: permission denied (EACCES)`);
    expect(told).toBe(thrown);
  });
});
