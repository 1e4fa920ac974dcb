import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
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
import { terminal } from "./terminal.js";

const begin = Date.UTC(2024, 0, 2, 3, 4, 5);
const at = (seconds: number) => new Date(begin + seconds * 1000);

function vertex(character: string, name: string, part: Partial<Vertex> = {}): BuildEvent {
  const digest = digestOf(character);
  return statusEvent({ vertexes: [{ digest, name, inputs: [], cached: false, ...part }] });
}

function log(character: string, text: string): BuildEvent {
  const data = Buffer.from(text);
  return statusEvent({ logs: [{ vertex: digestOf(character), stream: 1, data, timestamp: at(1) }] });
}

function start(size = { columns: 80, rows: 30 }, options: RenderOptions = {}) {
  const clock = new TestClock(begin);
  const sink = new TextSink(size);
  const show = terminal(sink, { env: {}, now: clock.now, ...options });
  const send = (event: BuildEvent) => {
    clock.milliseconds += 200;
    show(event);
  };
  return { show, send, sink, clock };
}

/** The pictures drawn so far, as lines without trailing spaces; colours left in. */
function pictures(text: string): string[][] {
  return text
    .split("\x1b[?25l")
    .slice(1)
    .map((part) =>
      (part.split("\x1b[J")[0] ?? "")
        .replace(/^(?:\x1b\[\d+A)?\r/, "")
        .replaceAll("\x1b[K", "")
        .split("\n")
        .slice(0, -1),
    );
}

const plainLines = (lines: string[] = []) => lines.map((line) => stripVTControlCharacters(line).trimEnd());

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("terminal", () => {
  it.each([80, 40])("draws a build on %i columns as progressui does", async (columns) => {
    const { show, sink, clock } = start({ columns, rows: 30 });
    show({ type: "start", builder: "b", driver: "docker-container" });
    feed(show, recordedStream("failed-build"), clock, 60);
    show({ type: "end" });
    await show.close();
    const golden = goldenText(`failed-build.tty${columns}.txt`);
    const text = sink.text.slice(sink.text.lastIndexOf("\x1b[?25l"));
    const shown = text
      .replace(/^\x1b\[\?25l(?:\x1b\[\d+A)?\r/, "")
      .replaceAll(/\x1b\[K|\x1b\[J|\x1b\[\?25h/g, "")
      .replace(/\n \x1b\[33m1 warning found[^]*/, "");
    expect(shown.replace(/ \d+\.\ds/, " 1.9s")).toBe(golden);
    expect(text).toContain("1 warning found (use --debug to expand):\n\x1b[0m - FromAsCasing");
  });

  it("redraws in place, hides the cursor only meanwhile, and ticks while something runs", async () => {
    const { show, send, sink, clock } = start();
    send(vertex("a", "step", { started: at(0) }));
    clock.milliseconds += 150;
    vi.advanceTimersByTime(150);
    send(vertex("a", "step", { started: at(0), completed: at(3) }));
    expect(sink.text.split("\x1b[2A\r")).toHaveLength(3);
    expect(sink.text.match(/\x1b\[\?25l/g)).toHaveLength(3);
    expect(sink.text.match(/\x1b\[\?25h/g)).toHaveLength(3);
    expect(plainLines(pictures(sink.text)[1])).toEqual([
      "[+] Building 0.1s (0/1)",
      expect.stringMatching(/^ => step +0\.1s$/),
    ]);
    await show.close();
    expect(sink.text.endsWith("\x1b[?25h")).toBe(true);
    expect(plainLines(pictures(sink.text).at(-1))[0]).toMatch(/\(1\/1\) FINISHED$/);
  });

  it("shows the last lines of running steps in windows, as many as fit", async () => {
    const { show, send, sink } = start({ columns: 60, rows: 26 });
    send(vertex("a", "one", { started: at(0) }));
    send(vertex("b", "two", { started: at(0) }));
    for (let line = 1; line <= 9; line++) send(log("a", `line ${line}\n`));
    send(log("b", "10%\r20%\x1b[2K\r30%\x1b[31m red\x1b[0m\x1b]0;t\x07"));
    const lines = plainLines(pictures(sink.text).at(-1)).map((text) => text.replace(/ +\d\.\ds$/, ""));
    expect(lines.slice(1)).toEqual([
      " => one",
      ...["5", "6", "7", "8", "9"].map((line) => ` => => # line ${line}`),
      " => two",
      " => => # 30% red",
    ]);
    send(vertex("a", "one", { started: at(0), completed: at(5) }));
    expect(
      pictures(sink.text)
        .at(-1)
        ?.some((text) => text.includes("line 9")),
    ).toBe(false);
    await show.close();
  });

  it("keeps unfinished steps in sight on a low terminal, and shows all at the end", async () => {
    const { show, send, sink } = start({ columns: 60, rows: 8 });
    send(vertex("0", "first", { started: at(0) }));
    for (const character of "123456789") {
      send(vertex(character, `step ${character}`, { started: at(0), completed: at(1) }));
    }
    const lines = plainLines(pictures(sink.text).at(-1));
    expect(lines).toHaveLength(7);
    expect(lines[1]).toMatch(/^ => first/);
    await show.close();
    expect(pictures(sink.text).at(-1)).toHaveLength(11);
  });

  it("never writes a line wider than the terminal, whatever the characters", async () => {
    const { show, send, sink } = start({ columns: 40, rows: 20 });
    send(vertex("a", "建て".repeat(30), { started: at(0), completed: at(1) }));
    send(vertex("b", "e\u0301".repeat(60), { started: at(0) }));
    send(log("b", "漢字".repeat(40)));
    await show.close();
    const wide = /[\u3000-\u9fff]/g;
    for (const line of pictures(sink.text).flatMap(plainLines)) {
      const width = line.replaceAll("\u0301", "").length + (line.match(wide)?.length ?? 0);
      expect(width).toBeLessThan(40);
    }
  });

  it("leaves it to the terminal how wide a sequence of emoji is, and counts the most", async () => {
    const { show, send, sink } = start({ columns: 40, rows: 20 });
    const family = "👩\u200d👩\u200d👧\u200d👦";
    send(vertex("a", `${family} ❤\ufe0f 1\ufe0f\u20e3`, { started: at(0) }));
    send(vertex("b", family.repeat(4), { started: at(0) }));
    send(log("b", "e\u0301 \u200d\u202e❤\ufe0f語\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301!"));
    const lines = sink.text.slice(sink.text.lastIndexOf("\x1b[?25l")).split("\n");
    expect(lines[1]).toBe(` => ${family} ❤\ufe0f 1\ufe0f\u20e3${" ".repeat(16)}\x1b[K\x1b[35G 0.4s\x1b[K`);
    expect(lines[2]).toBe(` => ${family.repeat(3)}👩\u200d👩  \x1b[K\x1b[35G 0.4s\x1b[K`);
    expect(stripVTControlCharacters(lines[3] ?? "").trimEnd()).toBe(
      ` => => # e\u0301 ❤語${"\u0301".repeat(7)}!`,
    );
    await show.close();
  });

  it("skips rows without room on a very narrow terminal", async () => {
    const { show, send, sink } = start({ columns: 20, rows: 20 });
    send(vertex("a", "step", { started: at(0) }));
    await show.close();
    expect(plainLines(pictures(sink.text).at(-1))).toEqual(["[+] Building 0.0s (0"]);
  });

  it("counts wrapped lines when the terminal has become narrower", async () => {
    const { show, send, sink } = start({ columns: 80, rows: 20 });
    send(vertex("a", "step", { started: at(0) }));
    Object.assign(sink, { columns: 40 });
    sink.emit("resize");
    // What wrapped is erased row by row, so that the rows are no halves of a line any more.
    expect(sink.text).toContain(`\x1b[4A\r${"\x1b[2K\n".repeat(4)}\x1b[4A`);
    await show.close();
    expect(sink.listenerCount("resize")).toBe(0);
    // One stays, whoever shows on this stream: what fails later is not to end the process.
    expect(sink.listenerCount("error")).toBeLessThanOrEqual(1);
  });

  it("obeys NO_COLOR, BUILDKIT_COLORS and TTY_DISPLAY_RATE", async () => {
    const colors = async (env: Record<string, string>) => {
      const { show, send, sink } = start(undefined, { env });
      send(vertex("a", "step", { started: at(0), completed: at(1) }));
      await show.close();
      return { line: pictures(sink.text).at(-1)?.[1], text: sink.text };
    };
    expect((await colors({ NO_COLOR: "1" })).line).toMatch(/^ => step/);
    expect((await colors({ BUILDKIT_COLORS: "run=light-green:error=red" })).line).toMatch(/^\x1b\[92m/);
    expect((await colors({ BUILDKIT_COLORS: 'RUN="0,255,128"' })).line).toMatch(/^\x1b\[38;5;48m/);
    expect((await colors({ TERM: "dumb" })).line).toMatch(/^ => step/);
    const wrong = await colors({ BUILDKIT_COLORS: "run=pink:what=red:x" });
    expect(wrong.line).toMatch(/^\x1b\[34m/);
    expect(wrong.text).toMatch(/^WARNING: /); // before the first picture
    expect(wrong.text.match(/WARNING: .*/g)).toEqual([
      "WARNING: Unknown color value found in BUILDKIT_COLORS: run=pink: colors must be a name from the pre-defined list or a valid 3-part RGB value",
      "WARNING: Unknown key found in BUILDKIT_COLORS (expected: run, cancel, error, or warning): what",
      "WARNING: Could not parse BUILDKIT_COLORS component: x: valid entry must have exactly two fields",
    ]);
    const { show, clock, sink } = start(undefined, { env: { TTY_DISPLAY_RATE: "1000" } });
    for (let count = 0; count < 5; count++) {
      clock.milliseconds += 200;
      show(vertex("a", `step ${count}`, { started: at(0) }));
    }
    expect(pictures(sink.text)).toHaveLength(1);
    await show.close();
  });

  it("SEC-31 lets nothing from outside move the cursor", async () => {
    const { show, send, sink } = start();
    show({ type: "start", builder: "b\x1b[2J", driver: "d\r" });
    send(vertex("a", "\x1b[10Aup\ttab\nline", { started: at(0) }));
    send(log("a", "\x1b[99A\x1b[2J\x1b]52;c;aGk=\x07\x1bPdcs\x1b\\text\x1b[?1049h\x9b3A\n"));
    send(
      statusEvent({
        warnings: [{ vertex: digestOf("a"), level: 1, short: "w\x1b[1A", detail: [], url: "", ranges: [] }],
      }),
    );
    send(vertex("a", "n", { started: at(0), completed: at(1), error: "e\x1b[1A" }));
    show({ type: "message", level: "warning", text: "m\x1b[2J\r" });
    await show.close();
    const own = /\x1b\[\?25[lh]|\x1b\[\d+A\r|\x1b\[\d+G|\x1b\[[KJ]|\x1b\[[\d;]*m/g;
    expect(sink.text.replace(own, "").replace(/^\r/, "")).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
    expect(sink.text).toContain(" => => # text");
    expect(sink.text).toContain("uptab line".replace("uptab", "up tab"));
  });

  it("MEM-10 keeps nothing of steps that ended well", async () => {
    const { show, send } = start({ columns: 80, rows: 24 });
    const noise = `${"x".repeat(99)}\n`.repeat(1000);
    const used: number[] = [];
    for (let count = 0; count < 300; count++) {
      const digest = String.fromCodePoint(0x100 + count);
      send(vertex(digest, "step", { started: at(count) }));
      send(log(digest, noise));
      send(vertex(digest, "step", { started: at(count), completed: at(count + 1) }));
      if (count % 100 === 99) used.push(process.memoryUsage().heapUsed + process.memoryUsage().external);
    }
    // 300 steps printed 30 MB.
    expect((used.at(-1) ?? 0) - (used[0] ?? 0)).toBeLessThan(60 << 20);
    await show.close();
  });
});
