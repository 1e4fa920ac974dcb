import { type BuildEvent, type Vertex, statusEvent } from "../../src/core/index.js";
import { type ReportOutcome, collectReport, reportHtml } from "../../src/report/index.js";

/** Text that tries to be markup, a script, another direction of writing, a terminal's colours, and a very long line. */
export const hostileText = `</script></pre></title><img src=//192.0.2.9/x onerror=alert(1)><script>alert(2)</script>\x1b[31mred\x1b[0m\u202egnp.exe"' ${"long".repeat(2000)}`;

const begun = Date.UTC(2026, 0, 2, 3, 4, 5);
const at = (milliseconds: number) => new Date(begun + milliseconds);

/** A step as the stream tells it. */
export function step(
  digest: string,
  name: string,
  [start, end]: readonly [number, number],
  more: Partial<Vertex> = {},
): Vertex {
  return { digest, name, inputs: [], cached: false, started: at(start), completed: at(end), ...more };
}

function pageOf(events: readonly BuildEvent[], outcome: ReportOutcome): string {
  const report = collectReport();
  for (const event of events) report(event);
  return reportHtml(report.model(outcome));
}

/** A build of many short steps, each of which waits for another. */
export function largePage(steps: number): string {
  const vertexes = Array.from({ length: steps }, (_, index) => {
    const before = index % 10 === 5 ? index - 5 : index - 1;
    const start = index * 20;
    return step(
      `v${index}`,
      `[stage-${Math.floor(index / 50)} ${(index % 50) + 1}/50] RUN make part-${index}`,
      [start, start + 20],
      {
        inputs: before >= 0 ? [`v${before}`] : [],
        cached: index % 7 === 3,
      },
    );
  });
  const logs = vertexes.map(({ digest }, index) => ({
    vertex: digest,
    stream: 1,
    data: Buffer.from(`part ${index}\n`.repeat(20)),
    timestamp: at(index * 20 + 5),
  }));
  return pageOf([statusEvent({ vertexes, logs })], { title: `${steps} steps` });
}

/** A failed build for two platforms whose every text is hostile. */
export function hostilePage(): string {
  const vertexes = [
    step("a", `[linux/amd64 1/2] RUN ${hostileText}`, [0, 3]),
    step("b", `[linux/arm64 1/2] RUN ${hostileText}`, [0, 900], { inputs: ["a"] }),
    step("c", hostileText, [900, 400_000], {
      inputs: ["b"],
      error: hostileText,
      progressGroup: { id: "g", name: hostileText, weak: false },
    }),
  ];
  const statuses = ["a", "b"].map((vertex) => ({
    id: hostileText,
    vertex,
    name: "",
    current: 5_000_000,
    total: 5_000_000,
    timestamp: at(800),
    started: at(10),
  }));
  const source = {
    filename: hostileText,
    data: Buffer.from(`${hostileText}\n${hostileText}`),
    language: "Dockerfile",
  };
  const place = { line: 1, character: 0 };
  const ranges = [{ start: place, end: place }];
  const warning = { level: 1, short: hostileText, detail: [hostileText], source, ranges };
  const events: BuildEvent[] = [
    { type: "message", level: "warning", text: hostileText },
    statusEvent({
      vertexes,
      statuses,
      logs: vertexes.map(({ digest }) => ({
        vertex: digest,
        stream: 1,
        data: Buffer.from(`50%\r${hostileText}\n`.repeat(3)),
        timestamp: at(5),
      })),
      warnings: vertexes.map(({ digest: vertex }) => ({ ...warning, vertex, url: "javascript:alert(3)" })),
    }),
  ];
  return pageOf(events, {
    title: hostileText.slice(0, 200),
    error: Object.assign(new Error(hostileText), { sources: [{ info: source, ranges }] }),
    result: {
      names: [hostileText],
      ref: hostileText,
      platforms: [
        {
          platform: hostileText,
          digest: hostileText,
          layers: [{ digest: hostileText, size: 1, createdBy: hostileText }],
        },
      ],
    },
  });
}
