import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHistory, endedBuild, timeAt } from "../../../test/support/fake-history.js";
import { type BuildHistory, readTrace, toJaeger } from "../index.js";
import { sanitizeSpans } from "./sanitize-spans.js";

describe("reading a trace", () => {
  let fake: FakeHistory;
  let builds: BuildHistory;
  beforeEach(async () => {
    fake = await FakeHistory.open();
    builds = await fake.history();
  });
  afterEach(async () => {
    await builds.close();
    await fake[Symbol.asyncDispose]();
  });

  async function traceOf(content: string) {
    fake.records.splice(0, 1, endedBuild("one", { trace: fake.store(content) }));
    return readTrace(builds, await builds.record("one"));
  }

  test("gives its spans; what is between them, and unfinished, is left out", async () => {
    const spans = await traceOf('{"Name":"a}\\""}\n[1] {"Name":"b","c":[{"d":{}}]} x {"unfinished":');
    expect(spans).toEqual([{ Name: 'a}"' }, { Name: "b", c: [{ d: {} }] }]);
    expect(await traceOf("")).toEqual([]);
    expect(await traceOf('"without an end {}')).toEqual([]);
  });

  test.each(['{"a":undefined}', `${"[".repeat(5000)}${"]".repeat(5000)}`])(
    "refuses what is none (%#)",
    async (content) => {
      await expect(traceOf(content)).rejects.toMatchObject({
        code: "HISTORY_MISSING",
        message: expect.stringContaining("the trace cannot be read") as string,
      });
    },
  );

  test("finalizes the record where there is none yet, and says when there is none then", async () => {
    fake.records.push(endedBuild("one"));
    fake.script.update = ({ Finalize }) => {
      expect(Finalize).toBe(true);
      fake.records.splice(0, 1, endedBuild("one", { trace: fake.store('{"Name":"a"}') }));
      return {};
    };
    const record = await builds.record("one");
    expect(await readTrace(builds, record)).toEqual([{ Name: "a" }]);
    fake.script.update = () => {
      fake.records.splice(0, 1, endedBuild("one"));
      return {};
    };
    await expect(readTrace(builds, record)).rejects.toMatchObject({
      code: "HISTORY_MISSING",
      message: 'build record "one" is missing a trace',
    });
  });

  test("of a build that runs, or of none, is refused; one that is cancelled while it waits is over at once", async () => {
    fake.records.push({ Ref: "runs", CreatedAt: timeAt(0) }, endedBuild("one"));
    await expect(readTrace(builds, await builds.record("runs"))).rejects.toMatchObject({
      code: "HISTORY_MISSING",
    });
    await expect(readTrace(builds, undefined as never)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    const record = await builds.record("one");
    const abort = new AbortController();
    const reading = readTrace(builds, record, { signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(reading).rejects.toMatchObject({ code: "ABORTED" });
    expect(fake.updates).toEqual([]);
  });
});

describe("a trace for Jaeger", () => {
  test("has each span as a process, with its tags, events and links", () => {
    const context = (id: string) => ({ TraceID: "t", SpanID: id, TraceFlags: "01" });
    const attribute = (Key: string, Type: string, Value: unknown) => ({ Key, Value: { Type, Value } });
    const { data } = toJaeger([
      {
        Name: "solve",
        SpanContext: context("a"),
        Parent: context("0"),
        SpanKind: 2,
        StartTime: "2026-01-01T00:00:00.0000015Z",
        EndTime: "2026-01-01T00:00:01Z",
        Attributes: [attribute("n", "INT64", 5), attribute("l", "STRINGSLICE", ["x"])],
        Events: [
          {
            Name: "e",
            Time: "2026-01-01T00:00:00.5Z",
            Attributes: [attribute("b", "BOOL", true)],
            DroppedAttributeCount: 2,
          },
        ],
        Links: [{ SpanContext: context("c") }],
        Status: { Code: "Error", Description: "it broke" },
        Resource: [
          attribute("service.name", "STRING", "buildkitd"),
          attribute("z", "STRING", "1"),
          attribute("a", "STRING", "2"),
        ],
        InstrumentationLibrary: { Name: "lib", Version: "1" },
      },
    ]);
    expect(data[0]).toMatchObject({
      traceID: "t",
      processes: {
        p0: {
          serviceName: "buildkitd",
          tags: [{ key: "a" }, { key: "z" }],
        },
      },
      spans: [
        {
          spanID: "a",
          flags: 1,
          operationName: "solve",
          startTime: 1767225600000001,
          duration: 999998,
          references: [
            { refType: "FOLLOWS_FROM", spanID: "c" },
            { refType: "CHILD_OF", spanID: "0" },
          ],
          tags: [
            { key: "n", type: "int64", value: 5 },
            { key: "l", type: "string", value: '["x"]' },
            { key: "otel.library.name", value: "lib" },
            { key: "otel.library.version", value: "1" },
            { key: "span.kind", value: "server" },
            { key: "error", type: "bool", value: true },
            { key: "otel.status_code", value: "ERROR" },
            { key: "otel.status_description", value: "it broke" },
          ],
          logs: [
            {
              timestamp: 1767225600500000,
              fields: [
                { key: "event", value: "e" },
                { key: "b", type: "bool", value: true },
                { key: "otel.event.dropped_attributes_count", value: 2 },
              ],
            },
          ],
        },
      ],
    });
  });

  test.each([
    ["2026-01-01T02:00:00+02:00", 1767225600000000],
    ["2026-01-01T02:00:00.000000500+02:00", 1767225600000000],
    ["2025-12-31T19:00:00.25-05:00", 1767225600250000],
    ["2026-01-01T00:00:00.1234567Z", 1767225600123456],
    ["2026-01-01T00:00:00Z", 1767225600000000],
    ["2026-01-01T00:00:00.1e5Z", 0],
    ["nonsense.9z", 0],
    ["", 0],
    [5, 0],
    [null, 0],
  ])("has the time %j, whatever the daemon's time zone is", (StartTime, startTime) => {
    const [span] = toJaeger([{ StartTime, EndTime: StartTime }]).data[0]?.spans ?? [];
    expect(span).toMatchObject({ startTime, duration: 0 });
  });

  test("is empty of nothing, and whole of nonsense", () => {
    expect(toJaeger([])).toMatchObject({ data: [{ traceID: "", spans: [], processes: {} }] });
    const nonsense = [
      {},
      {
        SpanContext: 5,
        Attributes: [5, {}],
        Events: {},
        Links: [null],
        Status: { Code: 2, Description: "d" },
        SpanKind: "x",
      },
    ];
    const text = JSON.stringify(toJaeger(nonsense));
    expect(JSON.parse(text)).toMatchObject({ data: [{ spans: [{}, {}] }] });
  });
});

test("credentials in a span's texts are blanked, and nothing else is changed", () => {
  const token = `ghs_${"a".repeat(36)}`;
  const value = (Type: string, Value: unknown) => ({ Key: "k", Value: { Type, Value } });
  expect(
    sanitizeSpans([
      {
        Name: "n",
        InstrumentationScope: {},
        Attributes: [value("STRING", `x ${token} TOKEN=abc,y=1`), value("INT64", 5), 7, { Key: "k" }],
      },
      { Attributes: 5 },
    ] as never),
  ).toEqual([
    {
      Name: "n",
      Attributes: [value("STRING", "x xxxxx TOKEN=xxxxx,y=1"), value("INT64", 5), 7, { Key: "k" }],
    },
    { Attributes: 5 },
  ]);
});
