import { expect, test } from "vitest";
import { type Vertex, SlipwayError, statusEvent } from "../core/index.js";
import { collectReport } from "./collect-report.js";
import { duration, share, ticks } from "./page/amounts.js";
import { reportHtml } from "./report-html.js";
import { parseStepName } from "./step-name.js";

const at = (milliseconds: number) => new Date(1_700_000_000_000 + milliseconds);

function vertex(digest: string, name: string, span: [number, number] | [], inputs: string[] = []): Vertex {
  const [start, end] = span;
  const times = start === undefined || end === undefined ? {} : { started: at(start), completed: at(end) };
  return { digest, name, inputs, cached: false, ...times };
}

test("the critical path goes back from the end along the inputs that ended last", () => {
  const report = collectReport();
  report(
    statusEvent({
      vertexes: [
        vertex("load", "[internal] load build definition", [0, 100]),
        vertex("from", "[base 1/1] FROM busybox", [100, 300]),
        vertex("long", "[a 2/2] RUN long", [300, 2300], ["from"]),
        vertex("short", "[b 2/2] RUN short", [300, 500], ["from"]),
        vertex("copy", "COPY", [2300, 2400], ["short", "long"]),
        vertex("export", "exporting to image", [2400, 3000]),
        vertex("never", "RUN never", [], ["copy"]),
      ],
    }),
  );
  const model = report.model();
  const names = model.criticalPath.map(({ step }) => model.steps[step - 1]?.digest);
  expect(names).toEqual(["load", "from", "long", "copy", "export"]);
  expect(model.milliseconds).toBe(3000);
  expect(model.criticalPath.reduce((sum, { start, end }) => sum + end - start, 0)).toBe(3000);
  expect(model.steps.at(-1)).toMatchObject({ digest: "never", state: "unused", critical: false });
});

test("steps tell their platform", () => {
  expect(parseStepName("[linux/amd64 build 2/5] RUN make")).toEqual({
    platform: "linux/amd64",
    commonName: "[build 2/5] RUN make",
  });
  expect(parseStepName("[linux/amd64->arm64 2/5] RUN make").platform).toBe("linux/arm64");
  expect(parseStepName("[2/5] RUN make")).toEqual({ platform: "", commonName: "[2/5] RUN make" });
});

test("hostile text of a build stays text, and the page can load nothing", () => {
  const report = collectReport();
  const hostile = "</script></pre><img src=x onerror=alert(1)>\x1b[31mred\x1b[0m\u202e\"'";
  report({ type: "message", level: "warning", text: hostile });
  report(
    statusEvent({
      vertexes: [{ ...vertex("v", hostile, [0, 10]), error: hostile }],
      logs: [{ vertex: "v", stream: 1, data: Buffer.from(`50%\r${hostile}\n`), timestamp: at(5) }],
      statuses: [
        { id: hostile, vertex: "v", name: "", current: 5, total: 5, timestamp: at(9), started: at(1) },
      ],
      warnings: [
        { vertex: "v", level: 1, short: hostile, detail: [hostile], url: "javascript:alert(1)", ranges: [] },
      ],
    }),
  );
  const page = reportHtml(report.model({ title: hostile, error: new SlipwayError("BUILD_FAILED", hostile) }));
  expect(page).not.toContain("<img");
  expect(page).not.toContain("\x1b");
  expect(page).not.toContain("\u202e");
  expect(page).not.toContain("javascript:");
  expect(page).not.toMatch(/50%\r|50%&#60;/);
  expect(page.match(/<script>/g)).toHaveLength(1);
  expect(page).toContain("default-src 'none'".replaceAll("'", "&#39;"));
});

test("of long output its beginning and its end are kept", () => {
  const report = collectReport();
  report(statusEvent({ vertexes: [vertex("v", "RUN yes", [0, 10])] }));
  const line = Buffer.from(`${"y".repeat(1023)}\n`);
  const log = (data: Uint8Array) =>
    report(statusEvent({ logs: [{ vertex: "v", stream: 1, data, timestamp: at(5) }] }));
  log(Buffer.from("first\n"));
  for (let index = 0; index < 2048; index++) log(line);
  log(Buffer.from("last\n"));
  const [step] = report.model().steps;
  expect(step?.log.length).toBeLessThan(600 << 10);
  expect(step?.omittedBytes).toBeGreaterThan(1 << 20);
  expect(step?.log).toMatch(/^first\n[\s\S]*bytes are left out[\s\S]*last$/);
});

test("of a critical path of many equally short steps the ten longest are shown", () => {
  const report = collectReport();
  const vertexes = Array.from({ length: 400 }, (_, index) =>
    vertex(`v${index}`, `RUN step`, [index * 20, index * 20 + 20], index > 0 ? [`v${index - 1}`] : []),
  );
  report(statusEvent({ vertexes }));
  const [, path = ""] = /<svg class="path"(.*?)<\/section>/s.exec(reportHtml(report.model())) ?? [];
  expect(path.match(/href="#step-/g)).toHaveLength(10);
  // The others are there in the bar as one piece where there is no gap between them.
  expect(path.match(/class="rest"/g)).toHaveLength(1);
  expect(path).toContain("and 390 more steps, 7.8 s together");
});

test("short times are told in milliseconds, small shares are not nothing", () => {
  expect([0, 4, 99.4, 150, 9949, 59_600, 3_600_000].map(duration)).toEqual([
    "0 ms",
    "4 ms",
    "99 ms",
    "0.1 s",
    "9.9 s",
    "1 min 00 s",
    "1 h 00 min",
  ]);
  expect([0, 4, 10, 1000].map((part) => share(part, 1000))).toEqual(["0 %", "<1 %", "1 %", "100 %"]);
});

test("a load at the end waits for the export that feeds it, up to where it begins", () => {
  const report = collectReport();
  const vertexes = [
    vertex("run", "[2/2] RUN make", [0, 1000]),
    vertex("export", "exporting to docker image format", [1010, 2000]),
    vertex("load", "importing to docker", [1500, 2004]),
  ];
  report(statusEvent({ vertexes }));
  const model = report.model();
  expect(model.criticalPath).toEqual([
    { step: 1, start: 0, end: 1000 },
    { step: 2, start: 1010, end: 1500 },
    { step: 3, start: 1500, end: 2004 },
  ]);
});

test("what takes no time is waited for by nothing that does not name it", () => {
  const report = collectReport();
  const cached = { ...vertex("cached", "RUN other", [400, 400]), cached: true };
  const vertexes = [vertex("load", "load", [0, 300]), cached, vertex("from", "FROM", [401, 900])];
  report(statusEvent({ vertexes }));
  const model = report.model();
  expect(model.criticalPath.map(({ step }) => model.steps[step - 1]?.digest)).toEqual(["load", "from"]);
});

test.each([3, 30, 130, 700, 1200, 5000, 70_000, 100_000, 400_000, 4_000_000, 20_000_000, 100_000_000])(
  "no two marks on an axis of %i ms read the same",
  (milliseconds) => {
    const labels = ticks(milliseconds, 8).map(({ label }) => label);
    expect(labels.length).toBeGreaterThan(2);
    expect(new Set(labels).size).toBe(labels.length);
  },
);

test("two thousand steps make a page of some megabytes at most, quickly", () => {
  const report = collectReport();
  const vertexes = Array.from({ length: 2000 }, (_, index) =>
    vertex(
      `v${index}`,
      `[stage ${index}/2000] RUN step`,
      [index, index + 5],
      index > 0 ? [`v${index - 1}`] : [],
    ),
  );
  report(statusEvent({ vertexes }));
  const page = reportHtml(report.model());
  expect(page.match(/id="step-/g)).toHaveLength(2000);
  expect(page.length).toBeLessThan(8 << 20);
});

test("why steps ran again, and what was asked of the network, stand on the page", () => {
  const report = collectReport();
  report(statusEvent({ vertexes: [vertex("c", "[2/2] COPY a /", [0, 10])] }));
  const request = {
    url: "http://a.example/<x>",
    allowed: true,
    method: "GET",
    status: 404,
    step: "[2/2] RUN",
  };
  report({ type: "network", requests: [request], left: 2, cachedSteps: ["[1/2] RUN"] });
  report({
    type: "network",
    requests: [{ url: "http://b.example/", allowed: false }],
    left: 0,
    cachedSteps: [],
  });
  report({
    type: "explained",
    steps: [
      { digest: "c", name: "", causes: [{ kind: "file", context: "context", path: "a", change: "changed" }] },
    ],
  });
  const page = reportHtml(report.model());
  for (const text of [
    "4 requests",
    "GET http://a.example/&#60;x&#62;",
    "404",
    "refused",
    "2 more are not listed",
  ])
    expect(page).toContain(text);
  expect(page).toContain("the file a was changed");
  const unknown = collectReport();
  unknown({ type: "explained", steps: [], unknown: "nothing is remembered" });
  expect(reportHtml(unknown.model())).toContain("That is not known: nothing is remembered");
});
