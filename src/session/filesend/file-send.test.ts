import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { finPacket, received, statPacket } from "../../../test/support/fsutil-sender.js";
import { FakeServerCall, bytesMessage } from "../../../test/support/server-call.js";
import type { ExportTarget } from "./export-target.js";
import { fileSend } from "./file-send.js";
import { fileTarget } from "./file-target.js";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-send-"));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

function newCall(id: string | undefined, headers: [string, string][] = []): FakeServerCall {
  const idHeader: [string, string][] = id === undefined ? [] : [["buildkit-attachable-exporter-id", id]];
  return new FakeServerCall("/moby.filesync.v1.FileSend/diffcopy", [...idHeader, ...headers]);
}

const capture = (into: PassThrough): ExportTarget => ({ type: "stream", open: async () => into });

describe("a stream", () => {
  it("is written as it comes and is done when the target is", async () => {
    const path = join(dir, "out.tar");
    const call = newCall("0");
    const done = fileSend(new Map([[0, fileTarget(path)]])).handle(call);
    for (const text of ["one ", "", "two ", "three"]) call.send(bytesMessage(Buffer.from(text)));
    call.endInput();
    await done;
    expect(await readFile(path, "utf8")).toBe("one two three");
  });

  it("its target hears what the daemon says of the result", async () => {
    const call = newCall(undefined, [
      ["exporter-md-containerimage.digest", "sha256:1"],
      ["exporter-md-image.name", "a"],
      ["exporter-md-image.name", "b"],
      ["other", "x"],
    ]);
    let heard: ReadonlyMap<string, string> | undefined;
    const target: ExportTarget = {
      type: "stream",
      open: async (metadata) => {
        heard = metadata;
        return undefined;
      },
    };
    await fileSend(new Map([[0, target]])).handle(call);
    expect([...(heard ?? [])]).toEqual([
      ["containerimage.digest", "sha256:1"],
      ["image.name", "a,b"],
    ]);
    expect(call.status).toEqual({ code: 6, message: "target already exists" });
  });

  it("MEM-3 is not read faster than the target takes it", async () => {
    const call = newCall("0");
    const slow = new PassThrough({ highWaterMark: 1000 });
    const done = fileSend(new Map([[0, capture(slow)]])).handle(call);
    for (let n = 0; n < 50; n++) call.send(bytesMessage(Buffer.alloc(500)));
    call.endInput();
    await call.until(() => call.unread < 50);
    await new Promise((resolve) => setImmediate(resolve));
    expect(call.unread).toBeGreaterThan(40);
    let bytes = 0;
    for await (const chunk of slow) bytes += (chunk as Buffer).length;
    await done;
    expect(bytes).toBe(25_000);
  });

  it("FLT-8 that breaks off leaves nothing", async () => {
    const path = join(dir, "out.tar");
    const call = newCall("0");
    const failures: [string, number][] = [];
    const onFailure = (error: Error, id: number) => void failures.push([error.name, id]);
    const done = fileSend(new Map([[0, fileTarget(path)]]), { onFailure }).handle(call);
    call.send(bytesMessage(Buffer.from("torn")));
    await call.until(() => call.unread === 0);
    call.cancel();
    await expect(done).rejects.toThrow();
    expect(await readdir(dir)).toEqual([]);
    // It did not fail here.
    expect(failures).toEqual([]);
  });

  it("FLT-23 ends with the target's own error", async () => {
    const call = newCall("0");
    const broken = new Writable({ write: (_chunk, _encoding, done) => done(new Error("engine is gone")) });
    const target: ExportTarget = { type: "stream", open: async () => broken };
    const done = fileSend(new Map([[0, target]])).handle(call);
    for (let n = 0; n < 50; n++) call.send(bytesMessage(Buffer.alloc(5000)));
    await expect(done).rejects.toThrow("engine is gone");
  });

  it("SEC-54 is opened once, and unknown ids never", async () => {
    const attachable = fileSend(new Map([[1, capture(new PassThrough())]]));
    const first = newCall("1");
    first.endInput();
    const done = attachable.handle(first);
    await expect(attachable.handle(newCall("1"))).rejects.toMatchObject({ grpcCode: 9 });
    await expect(attachable.handle(newCall("2"))).rejects.toThrow("exporter 2 not found");
    await expect(attachable.handle(newCall(undefined))).rejects.toThrow("exporter 0 not found");
    await expect(attachable.handle(newCall("-1"))).rejects.toThrow("exporter 0 not found");
    first.cancel();
    await done.catch(() => {});
  });
});

describe("a directory", () => {
  const finishEmpty = async (call: FakeServerCall) => {
    call.send(statPacket());
    await call.until(() => received(call).fin);
    call.send(finPacket());
  };

  it("takes several transfers", async () => {
    const attachable = fileSend(new Map([[0, { type: "directory", path: dir }]]));
    const calls = [newCall("0"), newCall("0")];
    await Promise.all(calls.flatMap((call) => [attachable.handle(call), finishEmpty(call)]));
  });

  it("MEM-14 but not any number of them", async () => {
    const attachable = fileSend(new Map([[0, { type: "directory", path: dir }]]));
    const calls = Array.from({ length: 65 }, () => newCall("0"));
    const results = calls.map((call) => attachable.handle(call));
    await expect(results[64]).rejects.toMatchObject({ grpcCode: 8 });
    for (const call of calls) call.cancel();
    await Promise.allSettled(results);
  });

  it("in delete mode needs a daemon that sends all platforms in one transfer, and takes one transfer only", async () => {
    const attachable = fileSend(new Map([[0, { type: "directory", path: dir, mode: "delete" }]]));
    const multi: [string, string][] = [["buildkit-exporter-multi-platform", "1"]];
    const call = newCall("0", multi);
    await Promise.all([attachable.handle(call), finishEmpty(call)]);
    await expect(attachable.handle(newCall("0", multi))).rejects.toThrow(/opened already/);
    const old = fileSend(new Map([[0, { type: "directory", path: dir, mode: "delete" }]]));
    await expect(old.handle(newCall("0"))).rejects.toThrow(
      "local exporter mode=delete requires a BuildKit daemon with multi-platform local export support",
    );
  });
});
