import { createWriteStream } from "node:fs";
import { PassThrough, Writable } from "node:stream";
import { expect, test } from "vitest";
import { FakeServerCall } from "../../../test/support/server-call.js";
import { receiveStream } from "./stream-receiver.js";

/** A call whose daemon sends `messages` bytes-messages, and then no more unless it goes on. */
function callOf(messages: number, { ends = true } = {}) {
  const call = new FakeServerCall("/moby.filesync.v1.FileSend/DiffCopy");
  for (let index = 0; index < messages; index++) call.send(Buffer.from([0x0a, 3, 97, 98, 99]));
  if (ends) call.endInput();
  return call;
}

const receive = (call: FakeServerCall, sink: Writable) =>
  receiveStream(call, { type: "stream", open: () => Promise.resolve(sink) });
const early = { code: "SESSION_EXPORT_INCOMPLETE" };
const closed = (sink: Writable) => new Promise((resolve) => sink.once("close", resolve));

test("an output that was destroyed before the export ends it, also when nothing is sent", async () => {
  for (const messages of [0, 3]) {
    const sink = new PassThrough();
    sink.destroy();
    await closed(sink);
    await expect(receive(callOf(messages), sink)).rejects.toMatchObject(early);
  }
});

test("an output that never tells of its end ends the export all the same", async () => {
  const sink = new Writable({ emitClose: false, write: (_chunk, _encoding, done) => done() });
  sink.destroy();
  await expect(receive(callOf(2), sink)).rejects.toMatchObject(early);
});

test("an output that had failed is told by its own error", async () => {
  const sink = createWriteStream("/nonexistent/x").on("error", () => {});
  await closed(sink);
  await expect(receive(callOf(1), sink)).rejects.toMatchObject({ code: "ENOENT" });
});

test("an output that is a web stream, and was closed, is told as one that was closed early", async () => {
  const target = new WritableStream();
  await target.close();
  await expect(receive(callOf(3), Writable.fromWeb(target as never))).rejects.toMatchObject(early);
});

test("an output that was ended already takes nothing", async () => {
  const sink = new PassThrough().end().resume();
  await expect(receive(callOf(1), sink)).rejects.toMatchObject(early);
});

test("an output that is destroyed while it is written ends the export", async () => {
  const sink = new Writable({ highWaterMark: 1, write: () => setTimeout(() => sink.destroy(), 5) });
  await expect(receive(callOf(3), sink)).rejects.toMatchObject(early);
});

test("a cancelled export does not wait for an output that nobody reads, nor for one that cannot be destroyed", async () => {
  const stuck = new Writable({ highWaterMark: 1, write: () => {}, destroy: () => {} });
  for (const sink of [new PassThrough({ highWaterMark: 1 }), stuck]) {
    const call = callOf(3, { ends: false });
    const receiving = receive(call, sink);
    setTimeout(() => call.cancel(), 20);
    await expect(receiving).rejects.toMatchObject({ code: "ABORTED" });
  }
});

test("nothing is left on the caller's stream but what guards it", async () => {
  const sink = new PassThrough().resume();
  await receive(callOf(3), sink);
  expect(sink.writableFinished).toBe(true);
  expect(sink.listenerCount("drain") + sink.listenerCount("finish")).toBe(0);
  expect(sink.listenerCount("error")).toBe(1);
});
