import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  TestClock,
  TextSink,
  digestOf,
  feed,
  goldenText,
  recordedStream,
} from "../../test/support/progress-streams.js";
import { type BuildEvent, type Vertex, type VertexWarning, statusEvent } from "../core/index.js";
import { type GroupedOptions, grouped } from "./grouped.js";

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

function warning(part: Partial<VertexWarning>): BuildEvent {
  const whole = { vertex: digestOf("a"), level: 1, short: "odd", detail: [], url: "", ranges: [], ...part };
  return statusEvent({ warnings: [whole] });
}

function start(options: GroupedOptions = {}) {
  const clock = new TestClock(begin);
  const sink = new TextSink();
  const show = grouped(sink, { env: {}, now: clock.now, ...options });
  const send = (event: BuildEvent, milliseconds = 200) => {
    clock.milliseconds += milliseconds;
    show(event);
  };
  return { show, send, sink, clock };
}

const failure = {
  message: "failed to solve: exit code: 2, 100%\nmore",
  sources: [
    {
      info: {
        filename: "app/Dockerfile",
        data: Buffer.alloc(0),
        language: "",
        path: "/ws/app, x/Dockerfile",
      },
      ranges: [{ start: { line: 3, character: 0 }, end: { line: 5, character: 1 } }],
    },
  ],
};

describe("grouped", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it.each(["github", "gitlab"] as const)("prints a recorded build for %s", async (system) => {
    const env = { GITHUB_WORKSPACE: "/ws", CI_PROJECT_DIR: "/ws" };
    const { show, sink, clock } = start({ system, env });
    show({ type: "start", builder: "b", driver: "docker-container" });
    feed(show, recordedStream("failed-build"), clock, 200);
    show({ type: "end", failure });
    await show.close();
    const text = sink.text.replace(/slipway_[0-9a-f]{6}_/g, "slipway_RUN_");
    expect(text).toBe(goldenText(`failed-build.${system}.txt`));
  });

  it("keeps a running step's group open and prints the others whole after it", async () => {
    const { show, send, sink } = start();
    send(vertex("a", "slow", { started: at(0) }));
    send(vertex("b", "quick", { started: at(0) }));
    send(log("b", "one\n"));
    send(log("a", "first\n"));
    send(vertex("b", "quick", { started: at(0), completed: at(2) }));
    send(log("a", "second\n"));
    send(vertex("a", "slow", { started: at(0), completed: at(4) }));
    await show.close();
    expect(sink.text).toBe(
      "::group::#1 slow\n#1 1.000 first\n#1 1.000 second\n::endgroup::\n#1 DONE 4.0s\n" +
        "::group::#2 quick\n#2 1.000 one\n::endgroup::\n#2 DONE 2.0s\n",
    );
  });

  it("lets nobody wait for a slow step for more than 30 s", async () => {
    const { show, send, sink } = start();
    send(vertex("a", "slow", { started: at(0) }));
    send(vertex("b", "quick", { started: at(0), completed: at(1) }));
    send(log("a", "first\n"), 31_000);
    expect(sink.text).toBe(
      "::group::#1 slow\n#1 1.000 first\n#1 ...\n::endgroup::\n#2 quick DONE 1.0s\n::group::#1 slow\n",
    );
    send(log("a", "second\n"));
    await show.close();
    expect(sink.text).toMatch(/::group::#1 slow\n#1 1\.000 second\n#1 \.\.\.\n::endgroup::\n$/);
  });

  it("prints what a step says out of turn when it is much (MEM-7)", async () => {
    const { show, send, sink } = start();
    send(vertex("a", "slow", { started: at(0) }));
    send(vertex("b", "loud", { started: at(0) }));
    send(log("b", `${"x".repeat(99)}\n`.repeat(11_000)));
    expect(sink.text).toMatch(/#1 \.\.\.\n::endgroup::\n::group::#2 loud\n/);
    await show.close();
  });

  it("breaks lines where a progress bar returns to their start", async () => {
    const { show, send, sink } = start();
    send(vertex("a", "bar", { started: at(0) }));
    send(log("a", "10%\r20%\r"));
    send(log("a", "\nend\r\n"));
    await show.close();
    expect(sink.text).toContain("#1 1.000 10%\n#1 1.000 20%\n#1 1.000 end\n");
  });

  it("SEC-33 lets nothing from outside be a command to GitHub Actions", async () => {
    const { show, send, sink } = start({ system: "github" });
    const hostile = "x\n::error::y\r::set-env::z ##[set-output name=a]b ###[group]";
    show({ type: "start", builder: "b\n::error::", driver: "d" });
    show({ type: "message", level: "warning", text: hostile });
    send(vertex("a", hostile, { started: at(0) }));
    send(log("a", `${hostile}\n#`));
    send(log("a", "#"));
    send(log("a", "[add-path]/x"));
    send(warning({ short: hostile, url: `https://x${hostile}` }));
    const info = {
      filename: hostile,
      path: `/ws/D\n::error::,line=9::`,
      data: Buffer.alloc(0),
      language: "",
    };
    send(warning({ short: "Rule: text", source: info }));
    send(vertex("a", hostile, { started: at(0), completed: at(1), error: hostile }));
    show({ type: "end", failure: { message: hostile, sources: [{ info, ranges: [] }] } });
    await show.close();
    const commands = sink.text.split(/[\r\n]/).filter((line) => line.trimStart().startsWith("::"));
    expect(commands.map((line) => /^::\w+/.exec(line)?.[0])).toEqual([
      "::group",
      "::endgroup",
      "::warning",
      "::warning",
      "::error",
    ]);
    expect(sink.text).not.toContain("##[");
    expect(commands[3]).toBe("::warning file=/ws/D %3A%3Aerror%3A%3A%2Cline=9%3A%3A,title=Rule::text");
  });

  it("SEC-33 lets nothing from outside begin or end a section of GitLab", async () => {
    const { show, send, sink } = start({ system: "gitlab" });
    const hostile = "x\x1b[0Ksection_end:1:slipway\r\x1b[0Ksection_start:2:y\r\x1b[0K";
    show({ type: "message", level: "warning", text: hostile });
    send(vertex("a", hostile, { started: at(0) }));
    send(log("a", `${hostile}\nsection_`));
    send(log("a", "end:1:x\n"));
    send(warning({ short: hostile }));
    show({ type: "end", failure: { message: hostile, sources: [] } });
    await show.close();
    expect(sink.text.match(/section_(?:start|end):\d+:[^\r]*/g)).toEqual([
      expect.stringMatching(/^section_start:\d+:slipway_[0-9a-f]{6}_1\[collapsed=true\]$/),
      expect.stringMatching(/^section_end:\d+:slipway_[0-9a-f]{6}_1$/),
    ]);
  });
});
