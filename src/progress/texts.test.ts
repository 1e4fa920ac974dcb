import { describe, expect, it } from "vitest";
import { goldenText, recordedStream } from "../../test/support/progress-streams.js";
import type { VertexWarning } from "../core/index.js";
import {
  formatAmount,
  formatBinaryBytes,
  formatBytes,
  goDuration,
  goTimestamp,
  humanDuration,
} from "./go-format.js";
import { hyperlink } from "./hyperlink.js";
import { LogWindow } from "./log-window.js";
import { formatStatusJson } from "./rawjson.js";
import { LogSanitizer, sanitizeName, sanitizeText } from "./sanitize.js";
import { formatSource } from "./source-excerpt.js";
import { StepLog } from "./step-log.js";
import { cutToWidth, textWidth } from "./text-width.js";
import { formatWarnings } from "./warnings.js";
import { guardWorkflowCommands } from "./workflow-guard.js";

/** Printed by the Go code: BuildKit's errdefs, tonistiigi/units, docker/go-units, time. */
const go = JSON.parse(goldenText("go-texts.json")) as {
  excerpts: { ranges: [number, number][]; text: string }[];
  amounts: [string, string, string, string][];
  durations: [string, string, string][];
};

describe("texts that Go programs print", () => {
  it.each(go.amounts)("%s bytes", (bytes, amount, decimal, binary) => {
    const number = Number(bytes);
    expect([formatAmount(number), formatBytes(number), formatBinaryBytes(number)]).toEqual([
      amount,
      decimal,
      binary,
    ]);
  });

  it.each(go.durations)("%s ms", (milliseconds, human, exact) => {
    expect([humanDuration(Number(milliseconds)), goDuration(Number(milliseconds))]).toEqual([human, exact]);
  });

  it.each(go.excerpts)("the excerpt of $ranges", ({ ranges, text }) => {
    const data = Buffer.from(Array.from({ length: 12 }, (_, index) => `line ${index + 1}`).join("\n"));
    const info = { filename: "Dockerfile", language: "Dockerfile", data };
    const position = (line: number) => ({ line, character: 0 });
    const marked = ranges.map(([start, end]) => ({ start: position(start), end: position(end) }));
    expect(formatSource(info, marked)).toBe(text);
  });

  it.each(["failed-build", "groups"])("rawjson of %s", (name) => {
    const lines = recordedStream(name).map(formatStatusJson);
    expect(lines).toEqual(goldenText(`${name}.rawjson.txt`).trimEnd().split("\n"));
  });

  it("cuts fractions of times short", () => {
    expect(goTimestamp(new Date("2024-01-02T03:04:05.120Z"))).toBe("2024-01-02T03:04:05.12Z");
    expect(goTimestamp(new Date("2024-01-02T03:04:50.000Z"))).toBe("2024-01-02T03:04:50Z");
  });
});

describe("formatWarnings", () => {
  const warning: VertexWarning = {
    vertex: "a",
    level: 1,
    short: "odd \x1b[2Jthing",
    detail: ["why"],
    url: "https://example.com",
    source: { filename: "Dockerfile", data: Buffer.from("FROM x"), language: "" },
    ranges: [{ start: { line: 1, character: 0 }, end: { line: 1, character: 0 } }],
  };

  it("counts each once, whichever vertex told it", () => {
    expect(formatWarnings([])).toBe("");
    expect(formatWarnings([warning, { ...warning, vertex: "b" }])).toBe(
      "\n \x1b[33m1 warning found (use --debug to expand):\n\x1b[0m - odd thing\n",
    );
    expect(formatWarnings([warning, { ...warning, short: "x" }], { color: false })).toBe(
      "\n 2 warnings found (use --debug to expand):\n - odd thing\n - x\n",
    );
  });

  it("shows all there is to know with debug", () => {
    const rule = "-".repeat(20);
    expect(formatWarnings([warning], { debug: true, color: false })).toBe(
      `\n 1 warning found:\n - odd thing\nwhy\nMore info: https://example.com\nDockerfile:1\n${rule}\n   1 | >>> FROM x\n${rule}\n\n`,
    );
  });
});

describe("SEC-31 sanitising", () => {
  it("makes names one harmless line", () => {
    expect(sanitizeName("a\x1b[31mb\x1b]8;;http://x\x07c\x9b2Jd\x7f\u0085e\r\nf")).toBe("abcde f");
    expect(sanitizeName("\u202eevil\u200b\ufeff é 日本")).toBe("\\u202eevil\\u200b\\ufeff é 日本");
  });

  it("keeps lines, tabs and colours of texts", () => {
    expect(sanitizeText("a\tb\x1b[1;31mred\nnext\x1b[0m\x1b[K\rover\x07\x1b")).toBe(
      "a\tb\x1b[1;31mred\x1b[0m\nnext\x1b[0mover",
    );
    expect(sanitizeText("x\x1b]52;c;never ended")).toBe("x");
    expect(sanitizeText("\x1bPdcs\x1b\\ok\x1b(Bok\x90ab\x9cok")).toBe("okokok");
  });

  it("knows sequences and characters that are cut anywhere", () => {
    const bytes = Buffer.from("a\x1b]52;c;aGk=\x07b\x1b[38;5;1mré\x1b[2J\x1b[0m\nend\x1b\\x");
    for (let cut = 0; cut <= bytes.length; cut++) {
      const sanitizer = new LogSanitizer();
      const text = sanitizer.push(bytes.subarray(0, cut)) + sanitizer.push(bytes.subarray(cut));
      expect(text.replaceAll(/\x1b\[[\d;]*m/g, "")).toBe("abré\nendx");
      expect(text).toMatch(/\x1b\[38;5;1mr?/);
    }
  });

  it("does not hold back more than a sequence can be", () => {
    const sanitizer = new LogSanitizer();
    expect(sanitizer.push(Buffer.from(`\x1b]${"x".repeat(10_000)}`))).toBe("");
    expect(sanitizer.push(Buffer.from("text"))).toBe("text");
  });

  it("SEC-33 marks lines that would be workflow commands", () => {
    expect(guardWorkflowCommands("::a::b\nfine: ::x\n \t::c\r::d\n:e")).toBe(
      "> ::a::b\nfine: ::x\n \t> ::c\r> ::d\n> :e",
    );
  });

  it("SEC-57 links only to https and docker-desktop", () => {
    const link = (url: string, enabled = true) => hyperlink(url, "text", { enabled });
    expect(link("https://a/b")).toBe("\x1b]8;;https://a/b\x07text\x1b]8;;\x07");
    expect(link("docker-desktop://dashboard/build/x")).toContain("\x1b]8;;docker-desktop://");
    for (const url of ["http://a", "javascript:x", "file:///etc", "https://a\x07\x1b[2J", "https://a b"])
      expect(link(url)).toBe("text");
    expect(link("https://a", false)).toBe("text");
  });
});

describe("StepLog", () => {
  const texts = (log: StepLog, prefix = "#1 ") => Buffer.from(log.takePending(prefix)).toString();

  it("keeps the last lines and bytes only", () => {
    const log = new StepLog({ keepLines: 3, keepBytes: 1000, pending: false });
    for (let line = 0; line < 10; line++) log.append(Buffer.from(`line ${line}\n`), "0.1");
    expect(log.tail().map(String)).toEqual(["0.1 line 7", "0.1 line 8", "0.1 line 9"]);
    log.append(Buffer.from(`${"x".repeat(900)}\n${"y".repeat(900)}\n`), "0.2");
    expect(log.tail()).toHaveLength(1);
  });

  it("breaks lines that do not end", () => {
    const log = new StepLog({ keepLines: 10, keepBytes: 1 << 20, pending: true });
    for (let piece = 0; piece < 10; piece++) log.append(Buffer.alloc(64 << 10, "z"), "0.1");
    expect(texts(log).match(/#1 0\.1 /g)).toHaveLength(3);
    expect(log.partial).toBe(true);
  });

  it("goes on with a line, or begins it again after an interruption", () => {
    const log = new StepLog({ keepLines: 10, keepBytes: 1000, pending: true });
    log.append(Buffer.from("a"), "0.1");
    expect(texts(log)).toBe("#1 0.1 a");
    log.append(Buffer.from("b"), "0.2");
    expect(texts(log)).toBe("b");
    log.interrupt();
    log.append(Buffer.from("c\nd"), "0.3");
    expect(texts(log)).toBe("#1 0.1 abc\n#1 0.3 d");
    log.append(Buffer.from("\n"), "0.4");
    expect(texts(log)).toBe("\n");
  });
});

describe("LogWindow", () => {
  const show = (text: string, rows = 3, columns = 10) => {
    const window = new LogWindow(rows, columns);
    window.write(Buffer.from(text));
    return window.lines();
  };

  it("scrolls, wraps, and takes lines back", () => {
    expect(show("1\n2\n3\n4\n")).toEqual(["3", "4"]);
    expect(show("abcdefghijklm")).toEqual(["abcdefghij", "klm"]);
    expect(show("10%\r100%\rx")).toEqual(["x00%"]);
    expect(show("long\r\x1b[Kx\ty")).toEqual(["x       y"]);
    expect(show("a\nb\x1b[1Ac")).toEqual(["ac", "b"]);
    expect(show("日本語日本語")).toEqual(["日本語日本", "語"]);
    expect(show("x\x1b[2J\x1b[Hy\x1b]0;t\x07z\x1b[31m!")).toEqual(["yz!"]);
  });

  it("survives any bytes", () => {
    const window = new LogWindow(6, 20);
    for (let seed = 1; seed < 3000; seed++) {
      const bytes = Array.from(
        { length: 20 },
        (_, index) => (seed * 7919 + index * 104_729 + ((seed * index) ^ 0x1b)) % 256,
      );
      window.write(Uint8Array.from(bytes));
      window.resize(1 + (seed % 8), seed % 50);
      for (const line of window.lines()) expect(line).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
    }
  });
});

describe("widths", () => {
  it("counts columns", () => {
    expect(["abc", "日本", "e\u0301", "🚀", "ｱ", "\u200b"].map(textWidth)).toEqual([3, 4, 1, 2, 1, 0]);
    expect(cutToWidth("日本語", 5)).toBe("日本");
  });
});

it("SEC-18 a step named by a URL does not show its password", () => {
  expect(sanitizeName("[internal] load git source https://user:pass@example.com/r.git")).toBe(
    "[internal] load git source https://*****@example.com/r.git",
  );
});
