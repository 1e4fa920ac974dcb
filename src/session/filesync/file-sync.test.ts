import { execFileSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeServerCall } from "../../../test/support/server-call.js";
import { fsutil } from "../../buildkit/index.js";
import { statusOf } from "../../http2/index.js";
import { type FileSyncOptions, fileSync } from "./file-sync.js";
import { errorPacket, finPacket, packetTypes } from "../fsutil/packet.js";
import type { SyncedDir } from "./synced-dir.js";

let root: string;
beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "slipway-sync-"));
});
afterEach(() => {
  fs.rmSync(root, { recursive: true, force: true });
});

interface Entry {
  id: number;
  stat: fsutil.Stat;
}

/** Plays buildkitd against `fileSync`: the receiving side of fsutil, as far as needed. */
class Receiver {
  readonly call: FakeServerCall;
  readonly outcome: Promise<unknown>;
  readonly entries = new Map<string, Entry>();
  readonly files = new Map<number, Buffer>();
  readonly finished = new Set<number>();
  error: string | undefined;
  fin = false;
  listed = false;
  #ids = 0;
  #read = 0;

  constructor(dirs: Record<string, SyncedDir>, headers: [string, string][] = [], options?: FileSyncOptions) {
    this.call = new FakeServerCall("/moby.filesync.v1.FileSync/diffcopy", [
      ["dir-name", "context"],
      ...headers,
    ]);
    const handled = fileSync(new Map(Object.entries(dirs)), options).handle(this.call);
    this.outcome = handled.then(
      () => {
        this.call.end();
        return undefined;
      },
      (error: unknown) => {
        this.call.end(statusOf(error));
        return error;
      },
    );
  }

  /** Waits until `condition` holds, or the call has ended. */
  async until(condition: () => boolean): Promise<void> {
    await this.call.until(() => {
      this.#take();
      return condition() || this.call.status !== undefined;
    });
  }

  request(id: number): void {
    this.call.send(id === 0 ? Uint8Array.of(0x08, 1) : Uint8Array.of(0x08, 1, 0x18, ...varint(id)));
  }

  /** Asks for every regular file, ends, and gives what came. */
  async everything(): Promise<Record<string, string | undefined>> {
    await this.until(() => this.listed);
    const wanted = [...this.entries.values()].filter(({ stat }) => (stat.mode & 0x8f28_0000) === 0);
    for (const { id } of wanted) this.request(id);
    await this.until(() => this.finished.size === wanted.length);
    await this.finish();
    return Object.fromEntries(
      [...this.entries].map(([path, { id }]) => [path, this.files.get(id)?.toString()]),
    );
  }

  async finish(): Promise<void> {
    this.call.send(finPacket());
    await this.until(() => this.fin);
    expect(await this.outcome).toBeUndefined();
    expect(this.call.status).toEqual({ code: 0 });
  }

  idOf(path: string): number {
    return this.entries.get(path)?.id ?? -1;
  }

  #take(): void {
    for (const message of this.call.sent.slice(this.#read)) {
      this.#read++;
      const packet = fromBinary(fsutil.PacketSchema, message);
      const type = Number(packet.type);
      if (type === packetTypes.fin) this.fin = true;
      else if (type === packetTypes.error) this.error = Buffer.from(packet.data).toString();
      else if (type === packetTypes.data) this.#data(packet);
      else if (packet.stat) {
        const path = Buffer.from(packet.stat.path).toString("latin1");
        this.entries.set(path, { id: this.#ids++, stat: packet.stat });
      } else this.listed = true;
    }
  }

  #data({ ID, data }: fsutil.Packet): void {
    if (data.length === 0) this.finished.add(ID);
    this.files.set(ID, Buffer.concat([this.files.get(ID) ?? Buffer.alloc(0), data]));
  }
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 0x80))];
}

const context = (): Record<string, SyncedDir> => ({ context: { type: "directory", path: root } });
const write = (name: string, data: string | Buffer = name) => fs.writeFileSync(join(root, name), data);

describe("fileSync", () => {
  test("sends a tree and the data asked for", async () => {
    fs.mkdirSync(join(root, "dir"));
    write("dir/a");
    write("empty", "");
    write("large", "x".repeat(3 * 1024 * 1024 + 17));
    write("medium", "y".repeat(64 * 1024 + 1));
    fs.symlinkSync("dir/a", join(root, "link"));
    const receiver = new Receiver(context());
    expect(await receiver.everything()).toEqual({
      dir: undefined,
      "dir/a": "dir/a",
      empty: "",
      large: "x".repeat(3 * 1024 * 1024 + 17),
      link: undefined,
      medium: "y".repeat(64 * 1024 + 1),
    });
    expect(Buffer.from(receiver.entries.get("link")?.stat.linkname ?? []).toString()).toBe("dir/a");
  });

  test("applies the request's patterns", async () => {
    for (const name of ["a.txt", "b.txt", "c.md"]) write(name);
    const receiver = new Receiver(context(), [
      ["include-patterns", "*.txt"],
      ["exclude-patterns", "b*"],
    ]);
    expect(await receiver.everything()).toEqual({ "a.txt": "a.txt" });
  });

  test("many small files share a write, and progress counts them", async () => {
    for (let i = 0; i < 500; i++) write(`f${i}`, `content ${i}`);
    const seen: number[] = [];
    const receiver = new Receiver(context(), [], {
      onProgress: (name, { files, entries, bytes }) => {
        expect(name).toBe("context");
        seen.push(files);
        if (files === 500) expect([entries, bytes]).toEqual([500, 500 * 8 + 10 + 90 * 2 + 400 * 3]);
      },
    });
    const writes: number[] = [];
    const original = receiver.call.write.bind(receiver.call);
    receiver.call.write = (chunks) => {
      writes.push(1);
      return original(chunks);
    };
    const files = await receiver.everything();
    expect(files["f499"]).toBe("content 499");
    expect(seen.at(-1)).toBe(500);
    expect(writes.length).toBeLessThan(50);
  });

  test("SEC-40 SEC-48 only registered names are served, as root's", async () => {
    write("a");
    for (const name of ["context2", "", "/", ".."]) {
      const call = new FakeServerCall("", [["dir-name", name]]);
      await expect(fileSync(new Map(Object.entries(context()))).handle(call)).rejects.toMatchObject({
        code: "SESSION_SYNC_REFUSED",
        grpcCode: 5,
        message: `no access allowed to dir "${name}"`,
      });
      expect(call.sent).toEqual([]);
    }
    if (process.getuid?.() === 0) fs.chownSync(join(root, "a"), 1234, 2345);
    const receiver = new Receiver(context());
    await receiver.everything();
    expect(receiver.entries.get("a")?.stat).toMatchObject({ uid: 0, gid: 0 });
  });

  test("SEC-42 FLT-59 what took a file's place is not read", async () => {
    for (const name of ["a", "b", "c", "d", "e"]) write(name);
    const swaps: Record<string, () => void> = {
      a: () => fs.symlinkSync("/etc/hostname", join(root, "a")),
      b: () => execFileSync("mkfifo", [join(root, "b")]),
      c: () => write("c"),
      d: () => fs.mkdirSync(join(root, "d")),
      e: () => {},
    };
    for (const [name, swap] of Object.entries(swaps)) {
      const receiver = new Receiver(context());
      await receiver.until(() => receiver.listed);
      fs.rmSync(join(root, name));
      fs.writeFileSync(join(root, "z"), ""); // takes the inode number that was given free
      swap();
      receiver.request(receiver.idOf(name));
      expect(await receiver.outcome).toMatchObject({ code: "SESSION_SYNC_CHANGED", path: name });
      await receiver.until(() => receiver.error !== undefined);
      expect(receiver.error).toContain(`changed during upload: ${name};`);
      expect(receiver.files.size).toBe(0);
      fs.rmSync(join(root, name), { recursive: true, force: true });
      fs.rmSync(join(root, "z"));
    }
  });

  test("SEC-43 an id is served once, and only if it was announced as a file", async () => {
    fs.mkdirSync(join(root, "dir"));
    write("file");
    for (const ids of [[7], [0], [1, 1], [2 ** 32]]) {
      const receiver = new Receiver(context());
      await receiver.until(() => receiver.listed);
      for (const id of ids) receiver.request(id);
      expect(await receiver.outcome).toMatchObject({ code: "SESSION_SYNC_PROTOCOL", grpcCode: 3 });
      await receiver.until(() => receiver.error !== undefined);
      expect(receiver.error).toBe(`invalid file id ${ids.at(-1)}`);
    }
  });

  test.runIf(process.getuid?.() === 0)("SEC-44 FLT-50 a file that cannot be read is named", async () => {
    write("secret");
    fs.chmodSync(root, 0o755);
    fs.chmodSync(join(root, "secret"), 0);
    const errors: Error[] = [];
    const receiver = new Receiver(context(), [], { onError: (error) => errors.push(error) });
    await receiver.until(() => receiver.listed);
    process.seteuid?.(65534);
    try {
      receiver.request(0);
      expect(await receiver.outcome).toMatchObject({ code: "SESSION_SYNC_READ", path: "secret" });
    } finally {
      process.seteuid?.(0);
    }
    await receiver.until(() => receiver.error !== undefined);
    expect(receiver.error).toBe("open secret: permission denied");
    expect(errors).toHaveLength(1);
  });

  test.each([
    ["FLT-53 shrunk", (file: string) => fs.truncateSync(file, 10)],
    ["FLT-54 grown", (file: string) => fs.appendFileSync(file, "more")],
    ["FLT-52 gone", (file: string) => fs.rmSync(file)],
    ["touched", (file: string) => fs.utimesSync(file, 1, 1)],
  ])("%s after it was announced: an error that names it", async (_, change) => {
    for (const size of [1000, 2_000_000]) {
      write("file", "x".repeat(size));
      const receiver = new Receiver(context());
      await receiver.until(() => receiver.listed);
      change(join(root, "file"));
      receiver.request(0);
      expect(await receiver.outcome).toMatchObject({
        message: expect.stringContaining("changed during upload: file;") as string,
      });
    }
  });

  test("FLT-53 moved times are a warning when asked for", async () => {
    write("file");
    const warnings: string[] = [];
    const receiver = new Receiver(context(), [], {
      onRace: "warn",
      onWarning: (text) => warnings.push(text),
    });
    await receiver.until(() => receiver.listed);
    fs.utimesSync(join(root, "file"), 1, 1);
    expect(await receiver.everything()).toEqual({ file: "file" });
    expect(warnings).toEqual(["changed during upload: file"]);
  });

  test("files that are older than a time are counted, once a transfer", async () => {
    for (const name of ["a", "b", "new"]) write(name);
    for (const name of ["a", "b"]) fs.utimesSync(join(root, name), 1_000, 1_000);
    const told: unknown[] = [];
    const onOlder = { than: new Date(1_000_001), told: (...args: unknown[]) => void told.push(args) };
    expect(await new Receiver(context(), [], { onOlder }).everything()).toMatchObject({ new: "new" });
    expect(told).toEqual([["context", 2, "a"]]);
    const none = { ...onOlder, than: new Date(1_000_000) };
    await new Receiver(context(), [], { onOlder: none }).everything();
    expect(told).toHaveLength(1);
  });

  test("FLT-53 of a file that grew what was announced is sent, when asked for; one that shrank is an error", async () => {
    const options = { onRace: "warn" } as const;
    write("file");
    const grown = new Receiver(context(), [], options);
    await grown.until(() => grown.listed);
    fs.appendFileSync(join(root, "file"), " and more");
    expect(await grown.everything()).toEqual({ file: "file" });
    const shrunk = new Receiver(context(), [], options);
    await shrunk.until(() => shrunk.listed);
    fs.truncateSync(join(root, "file"), 1);
    shrunk.request(0);
    expect(await shrunk.outcome).toMatchObject({
      message: expect.stringContaining("changed during upload: file;") as string,
    });
  });

  test.skipIf(process.platform !== "linux")(
    "SEC-41 no file from outside is sent while a directory and a link take turns, 100 times of 100",
    { timeout: 120_000 },
    async () => {
      const outside = fs.mkdtempSync(join(tmpdir(), "slipway-secrets-"));
      for (let i = 0; i < 20; i++) fs.writeFileSync(join(outside, `f${i}`), "secret");
      for (const name of ["a", "sub"]) fs.mkdirSync(join(root, name));
      for (let i = 0; i < 200; i++) write(`a/${i}`);
      for (let i = 0; i < 20; i++) write(`sub/f${i}`, "inside");
      fs.symlinkSync(outside, join(root, "..", `${basename(root)}-link`));
      const link = join(root, "..", `${basename(root)}-link`);
      const away = `${root}-away`;
      let leaked = 0;
      let isLink = false;
      const turn = () => {
        if (isLink) {
          fs.renameSync(join(root, "sub"), link);
          fs.renameSync(away, join(root, "sub"));
        } else {
          fs.renameSync(join(root, "sub"), away);
          fs.renameSync(link, join(root, "sub"));
        }
        isLink = !isLink;
      };
      try {
        for (let run = 0; run < 100; run++) {
          if (isLink) turn();
          const receiver = new Receiver(context());
          // The walk stops in the middle now and then, and goes on when the directory is a link.
          receiver.call.congested = run % 2 === 0;
          await receiver.until(() => receiver.call.sent.length > 0 || receiver.listed);
          turn();
          receiver.call.release();
          const sent = await receiver.everything().catch(() => ({}));
          leaked += Object.values(sent).filter((content) => content === "secret").length;
        }
        expect(leaked).toBe(0);
      } finally {
        for (const path of [outside, link, away]) fs.rmSync(path, { recursive: true, force: true });
      }
    },
  );

  test("FLT-78 of files that appear meanwhile those are sent that were announced", async () => {
    for (let i = 0; i < 2_000; i++) write(`file-${i}`);
    fs.mkdirSync(join(root, "last"));
    const receiver = new Receiver(context());
    // The walk stops in the middle, with the directory still to be read.
    receiver.call.congested = true;
    await receiver.until(() => receiver.call.sent.length > 0);
    expect(receiver.entries.has("last")).toBe(false);
    write("appeared");
    write("last/appeared");
    write("zzz-appeared");
    receiver.call.release();
    const sent = await receiver.everything();
    const names = Object.keys(sent);
    expect(names).toEqual(expect.arrayContaining(["file-0", "file-1999", "last"]));
    expect(names.filter((name) => !/^file-|^last$|appeared$/.test(name))).toEqual([]);
    for (const name of names) if (name !== "last") expect(sent[name]).toBe(name);
  });

  test("FLT-56 holes are sent as zeros", async () => {
    write("sparse", "");
    fs.truncateSync(join(root, "sparse"), 200_000);
    expect(await new Receiver(context()).everything()).toEqual({ sparse: "\0".repeat(200_000) });
  });

  test("FLT-58 a socket is served as an empty file, with a warning", async () => {
    const server = net.createServer().listen(join(root, "socket"));
    await new Promise((resolve) => server.once("listening", resolve));
    const warnings: string[] = [];
    const receiver = new Receiver(context(), [], { onWarning: (text) => warnings.push(text) });
    expect(await receiver.everything()).toEqual({ socket: "" });
    expect(warnings).toEqual(["sending a socket as an empty file: socket"]);
    await new Promise((resolve) => server.close(resolve));
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("a bug in the caller");
      },
    ],
    ["rejects", async () => Promise.reject(new Error("a bug in the caller"))],
  ])("a callback that %s fails the transfer, and no more", async (_how, bug) => {
    write("file", "file");
    const receiver = new Receiver(context(), [], { onProgress: bug, onError: bug });
    await receiver.everything().catch(() => {});
    expect(await receiver.outcome).toMatchObject({ message: "a bug in the caller" });
  });

  test("SEC-46 a restricted directory shows its names and their links' targets, whatever is asked", async () => {
    fs.mkdirSync(join(root, "sub"));
    for (const name of ["sub/real", "sub/secret", "other", "Dockerfile.dockerignore"]) write(name);
    fs.symlinkSync("sub/real", join(root, "Dockerfile"));
    const only = ["Dockerfile", "Dockerfile.dockerignore", "dockerfile"];
    const dirs: Record<string, SyncedDir> = { context: { type: "directory", path: root, only } };
    const all = {
      Dockerfile: undefined,
      "Dockerfile.dockerignore": "Dockerfile.dockerignore",
      sub: undefined,
      "sub/real": "sub/real",
    };
    expect(await new Receiver(dirs).everything()).toEqual(all);
    expect(await new Receiver(dirs, [["followpaths", "other"]]).everything()).toEqual({});
    expect(await new Receiver(dirs, [["followpaths", "Dockerfile"]]).everything()).toEqual({
      Dockerfile: undefined,
      sub: undefined,
      "sub/real": "sub/real",
    });
  });

  test("a tree in memory is made once and sent like one on disk", async () => {
    let calls = 0;
    const entries = new Map([
      ["bin/run", { content: () => `#!${++calls}`, mode: 0o755 }],
      ["big", { content: "z".repeat(1_500_000) }],
    ]);
    const dirs: Record<string, SyncedDir> = { context: { type: "memory", entries } };
    const expected = { big: "z".repeat(1_500_000), bin: undefined, "bin/run": "#!1" };
    const attachable = new Receiver(dirs);
    expect(await attachable.everything()).toEqual(expected);
    expect(attachable.entries.get("bin/run")?.stat.mode).toBe(0o755);
  });

  test("MEM-3 a builder that does not read stops the walk", async () => {
    const entries = new Map(Array.from({ length: 20_000 }, (_, i) => [`file-number-${i}`, {}] as const));
    const receiver = new Receiver({ context: { type: "memory", entries } });
    receiver.call.congested = true;
    await receiver.until(() => receiver.call.sent.length > 0);
    await new Promise((resolve) => setImmediate(resolve));
    const before = receiver.call.sent.length;
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(receiver.call.sent.length).toBe(before);
    expect(before).toBeLessThan(20_000);
    receiver.call.release();
    await receiver.until(() => receiver.listed);
    await receiver.finish();
    expect(receiver.entries.size).toBe(20_000);
  });

  test("the builder's own error, its cancelling and its leaving end the call", async () => {
    write("file");
    const failed = new Receiver(context());
    failed.call.send(errorPacket("no space\n"));
    expect(await failed.outcome).toMatchObject({ message: "error from receiver: no space\\x0a" });
    const cancelled = new Receiver(context());
    const reason = new Error("gone");
    cancelled.call.cancel(reason);
    expect(await cancelled.outcome).toBe(reason);
    const left = new Receiver(context());
    left.call.endInput();
    expect(await left.outcome).toMatchObject({ code: "SESSION_SYNC_PROTOCOL" });
  });

  test("a malformed pattern fails the call before anything is sent", async () => {
    const receiver = new Receiver(context(), [["exclude-patterns", "[a"]]);
    expect(await receiver.outcome).toMatchObject({ message: 'syntax error in pattern "[a"' });
    expect(receiver.call.sent).toEqual([]);
  });
});
