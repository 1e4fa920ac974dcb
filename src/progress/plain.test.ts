import { PassThrough, Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readWaiting } from "../../test/support/read-waiting.js";
import {
  TestClock,
  TextSink,
  digestOf,
  feed,
  goldenText,
  recordedStream,
} from "../../test/support/progress-streams.js";
import { type BuildEvent, type Vertex, statusEvent } from "../core/index.js";
import type { RenderOptions } from "./options.js";
import { plain } from "./plain.js";

const begin = Date.UTC(2024, 0, 2, 3, 4, 5);
const at = (seconds: number) => new Date(begin + seconds * 1000);

function vertex(character: string, name: string, part: Partial<Vertex> = {}): Vertex {
  return { digest: digestOf(character), name, inputs: [], cached: false, ...part };
}

function log(character: string, text: string | Uint8Array, seconds = 1): BuildEvent {
  const data = typeof text === "string" ? Buffer.from(text) : text;
  return statusEvent({ logs: [{ vertex: digestOf(character), stream: 1, data, timestamp: at(seconds) }] });
}

function start(options: RenderOptions = {}, sink = new TextSink()) {
  const clock = new TestClock(begin);
  const show = plain(sink, { env: {}, now: clock.now, ...options });
  const send = (event: BuildEvent, seconds?: number) => {
    if (seconds !== undefined) clock.milliseconds = begin + seconds * 1000;
    else clock.milliseconds += 200;
    show(event);
  };
  return { show, send, sink, clock };
}

describe("plain", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it.each(["failed-build", "groups"])("prints %s as progressui does", async (name) => {
    const { show, sink, clock } = start({ env: { NO_COLOR: "1" } });
    show({ type: "start", builder: "b", driver: "docker-container" });
    feed(
      show,
      recordedStream(name).map((update) => ({ ...update })),
      clock,
      200,
    );
    show({ type: "end" });
    await show.close();
    const block = name === "groups" ? "" : warningsBlock;
    expect(sink.text).toBe(goldenText(`${name}.plain.txt`) + block);
  });

  it("begins a line of its own for what comes between partial output", async () => {
    const { show, send, sink } = start();
    send(statusEvent({ vertexes: [vertex("a", "step", { started: at(0) })] }));
    send(log("a", "half"));
    send(
      statusEvent({
        warnings: [{ vertex: digestOf("a"), level: 1, short: "odd", detail: [], url: "", ranges: [] }],
      }),
    );
    send(log("a", " whole\n"));
    await show.close();
    expect(sink.text.slice(0, sink.text.indexOf("\n ", 3))).toBe(
      "#1 step\n#1 1.000 half\n#1 WARN: odd\n#1 1.000 half whole\n",
    );
  });

  it("turns to a step that has waited 10 s, and back", async () => {
    const { show, send, sink } = start();
    send(
      statusEvent({
        vertexes: [vertex("a", "one", { started: at(0) }), vertex("b", "two", { started: at(0) })],
      }),
      0,
    );
    for (let second = 1; second <= 11; second++) {
      send(log("a", `a${second}\n`, second), second);
      send(log("b", `b${second}\n`, second), second);
    }
    await show.close();
    expect(sink.text).toMatch(/^#1 one\n/);
    expect(sink.text).toContain("#1 ...\n\n#2 two\n#2 1.000 b1\n");
    for (const line of ["a11\n", "b11\n"]) expect(sink.text).toContain(line);
  });

  it("keeps a timer only while something waits to be printed", async () => {
    const { show, send, sink } = start();
    send(statusEvent({ vertexes: [vertex("a", "one", { started: at(0) })] }), 0);
    expect(vi.getTimerCount()).toBe(0);
    send(log("a", "soon\n"), 0.01);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(150);
    expect(sink.text).toContain("soon\n");
    await show.close();
  });

  it("prints messages after the display, and at once when it is over", async () => {
    const { show, send, sink } = start();
    show({ type: "message", level: "warning", text: "No output specified" });
    send(statusEvent({ vertexes: [vertex("a", "one", { started: at(0), completed: at(1) })] }));
    show({ type: "end" });
    show({ type: "message", level: "info", text: "late" });
    await show.close();
    expect(sink.text).toBe("#1 one\n#1 DONE 1.0s\nWARNING: No output specified\nINFO: late\n");
  });

  it("cuts names to 72 bytes with PROGRESS_NO_TRUNC=0", async () => {
    const { show, send, sink } = start({ env: { PROGRESS_NO_TRUNC: "0" } });
    send(statusEvent({ vertexes: [vertex("a", "x".repeat(80), { started: at(0) })] }));
    await show.close();
    expect(sink.text).toBe(`#1 ${"x".repeat(72)}...\n`);
  });

  it("SEC-31 strips control sequences from everything on a terminal", async () => {
    const { show, send, sink } = start({}, new TextSink({ columns: 80, rows: 24 }));
    send(
      statusEvent({
        vertexes: [vertex("a", "\x1b[2Jbad\x1b]52;c;aGk=\x07 na\u202eme\nx", { started: at(0) })],
      }),
    );
    send(log("a", "\x1b]0;tit"));
    send(log("a", "le\x07\x1b[31mred\x1b[2J\x9b\n\x07plain\n"));
    send(
      statusEvent({
        vertexes: [vertex("a", "n", { started: at(0), completed: at(1), error: "no\x1b[1Aup\r" })],
      }),
    );
    await show.close();
    expect(sink.text).toBe(
      "#1 bad na\\u202eme x\n#1 1.000 \x1b[31mred\x1b[0m\n#1 1.000 plain\n#1 ERROR: noup\n------\n > n:\n" +
        "1.000 \x1b[31mred\x1b[0m\n1.000 plain\n------\n",
    );
  });

  it("SEC-32 passes output of steps through elsewhere, but not names, unless asked to", async () => {
    const bytes = Buffer.from([0x1b, 0x5b, 0x32, 0x4a, 0xff, 0x0a]);
    for (const sanitize of ["auto", "always"] as const) {
      const stream = new PassThrough();
      const { show, send } = start({ sanitize }, stream as unknown as TextSink);
      send(statusEvent({ vertexes: [vertex("a", "na\x1b[2Jme", { started: at(0) })] }));
      send(log("a", bytes));
      await show.close();
      const expected = sanitize === "auto" ? bytes : Buffer.from("\ufffd\n");
      expect(readWaiting(stream)).toEqual(Buffer.concat([Buffer.from("#1 name\n#1 1.000 "), expected]));
    }
  });

  it("SEC-33 lets no text from outside begin a line with :: in GitHub Actions", async () => {
    const { show, send, sink } = start({ env: { GITHUB_ACTIONS: "true" } });
    show({ type: "message", level: "warning", text: "a\n::error::m" });
    send(statusEvent({ vertexes: [vertex("a", "n\n::error::x", { started: at(0) })] }));
    send(log("a", "x\r::error::y\nz\r"));
    send(log("a", "  ::error::y\n::error::own line\n"));
    const error = "failed\n  ::set-output name=a::b";
    send(statusEvent({ vertexes: [vertex("a", "n", { started: at(0), completed: at(1), error })] }));
    await show.close();
    expect(sink.text).not.toMatch(/(^|[\r\n])\s*::/);
    expect(sink.text).toContain("x\r> ::error::y\n");
  });

  it("FLT-38 stops printing when the stream breaks, and the build goes on", async () => {
    const stream = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error("EPIPE"), { code: "EPIPE" })),
    });
    const { show, send } = start({}, stream as TextSink);
    send(statusEvent({ vertexes: [vertex("a", "one", { started: at(0) })] }));
    send(log("a", "text\n"));
    await vi.runAllTimersAsync();
    send(log("a", "text\n"));
    await show.close();
    expect(stream.destroyed).toBe(true);
  });

  it("FLT-39 queues a bounded amount for a blocked stream and says when to wait", async () => {
    let release = () => {};
    let written = 0;
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        written += chunk.length;
        release = done;
      },
    });
    const { show, send } = start({}, stream as TextSink);
    send(statusEvent({ vertexes: [vertex("a", "one", { started: at(0) })] }));
    expect(show.ready()).toBeUndefined();
    const line = Buffer.alloc(1 << 20, "x");
    line[line.length - 1] = 0x0a;
    for (let count = 0; count < 64; count++) send(log("a", line));
    expect(stream.writableLength).toBeLessThan(33 << 20);
    let waited = false;
    const wait = show.ready()?.then(() => (waited = true));
    expect(wait).toBeDefined();
    expect(waited).toBe(false);
    while (stream.writableLength > 0) {
      release();
      await Promise.resolve();
      await new Promise((resolve) => process.nextTick(resolve));
    }
    await wait;
    expect(waited).toBe(true);
    expect(written).toBeGreaterThan(8 << 20);
    const closed = show.close();
    while (stream.writableLength > 0) {
      release();
      await new Promise((resolve) => process.nextTick(resolve));
    }
    await closed;
  });

  it("FLT-67 shows no negative times when the daemon's clock is behind", async () => {
    const { show, send, sink } = start();
    send(statusEvent({ vertexes: [vertex("a", "one", { started: at(100) })] }));
    send(log("a", "early\n", 50));
    send(statusEvent({ vertexes: [vertex("a", "one", { started: at(100), completed: at(99) })] }));
    await show.close();
    expect(sink.text).toBe("#1 one\n#1 0.000 early\n#1 DONE 0.0s\n");
  });

  it("MEM-7 keeps ten lines of a step that printed very much", async () => {
    const { show, send, sink } = start({}, new Writable({ write: (_c, _e, done) => done() }) as TextSink);
    send(statusEvent({ vertexes: [vertex("a", "flood", { started: at(0) })] }));
    const flood = Buffer.from("y\n".repeat(4096));
    const before = process.memoryUsage().heapUsed;
    for (let count = 0; count < 200; count++) send(log("a", flood));
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 << 20);
    Object.assign(sink, { text: "" });
    await show.close();
  });
});

const warningsBlock =
  "\n 1 warning found (use --debug to expand):\n" +
  " - FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)\n";
