import { describe, expect, it } from "vitest";
import { TextSink, digestOf } from "../../test/support/progress-streams.js";
import { type BuildEvent, statusEvent } from "../core/index.js";
import { display } from "./display.js";
import { prefixVertices, shareLogs, shiftToLocalClock } from "./relay.js";

const started = new Date("2024-01-02T03:04:05Z");
const update = (name = "[x] y"): BuildEvent =>
  statusEvent({ vertexes: [{ digest: digestOf("a"), name, inputs: [], cached: false, started }] });

async function shown(
  mode: string,
  env: Record<string, string> = {},
  terminal?: { columns: number; rows: number },
) {
  const sink = new TextSink(terminal);
  const show = display(mode, sink, env);
  show({ type: "start", builder: "b", driver: "docker-container" });
  show(update());
  show({ type: "message", level: "warning", text: "careful" });
  show({ type: "end" });
  show({ type: "end" });
  await show.close();
  await show.close();
  return sink.text;
}

describe("display", () => {
  const size = { columns: 80, rows: 24 };

  it("chooses by the stream, after BUILDKIT_PROGRESS", async () => {
    expect(await shown("auto")).toMatch(
      /^#0 building with "b" instance using docker-container driver\n\n#1 \[x\] y\n/,
    );
    expect(await shown("auto", {}, size)).toContain("[+] Building");
    expect(await shown("auto", { BUILDKIT_PROGRESS: "rawjson" })).toMatch(/^\{"vertexes":/);
    expect(await shown("plain", { BUILDKIT_PROGRESS: "rawjson" }, size)).toMatch(/^#0 /);
  });

  it("keeps to lines without colours on a terminal that calls itself dumb, unless told otherwise", async () => {
    expect(await shown("auto", { TERM: "dumb" }, size)).toMatch(/^#0 building/);
    expect(await shown("auto", { TERM: "dumb", BUILDKIT_PROGRESS: "tty" }, size)).toContain("[+] Building");
    expect(await shown("tty", { TERM: "dumb" }, size)).toContain("[+] Building");
    expect(await shown("auto", { CI: "true" }, size)).toContain("[+] Building");
  });

  it("prints messages after the end in every mode", async () => {
    for (const mode of ["auto", "plain", "rawjson", "quiet", "none"])
      expect(await shown(mode)).toMatch(/WARNING: careful\n$/);
    expect(await shown("quiet")).toBe("WARNING: careful\n");
  });

  it("refuses what it does not know, and a display without a terminal", () => {
    expect(() => display("fancy", new TextSink(), {})).toThrow("invalid progress mode fancy");
    expect(() => display("tty", new TextSink(), {})).toThrow("failed to get console");
  });
});

describe("relays", () => {
  it("moves the daemon's times to the start of the build here", () => {
    const events: BuildEvent[] = [];
    const sink = shiftToLocalClock(
      (event) => events.push(event),
      () => 1_000_000,
    );
    sink(update());
    sink(
      statusEvent({
        logs: [{ vertex: "a", stream: 1, data: Buffer.alloc(1), timestamp: new Date(started.getTime() + 5) }],
      }),
    );
    expect(events).toMatchObject([
      { vertexes: [{ started: new Date(1_000_000) }] },
      { logs: [{ timestamp: new Date(1_000_005) }] },
    ]);
  });

  it("puts the target into names", () => {
    const names: string[] = [];
    const sink = prefixVertices((event) => {
      if (event.type === "status") names.push(...event.vertexes.map(({ name }) => name));
    }, "app");
    for (const name of ["[1/2] FROM x", "exporting"]) sink(update(name));
    expect(names).toEqual(["[app 1/2] FROM x", "[app] exporting"]);
  });

  it("passes on the output of a shared step once", () => {
    let logs = 0;
    const share = shareLogs((event) => {
      if (event.type === "status") logs += event.logs.length;
    });
    const log = statusEvent({
      logs: [{ vertex: "a", stream: 1, data: Buffer.alloc(1), timestamp: started }],
    });
    const [one, two] = [share(), share()];
    for (const sink of [one, two, one, two]) sink(log);
    expect(logs).toBe(2);
  });
});
