import { describe, expect, test } from "vitest";
import type { BuildRecord } from "./build-record.js";
import { parseHistoryFilters } from "./history-filters.js";

const now = Date.UTC(2026, 0, 2);
const seconds = (time: number) => ({ seconds: BigInt(time / 1000), nanos: 0 });
const record = {
  id: "abc",
  status: "error",
  attrs: { context: "https://example.com/a.git#main" },
  duration: 90_000,
  completedAt: new Date(now),
  wire: { CreatedAt: seconds(now - 3_600_000), CompletedAt: seconds(now) },
} as unknown as BuildRecord;

describe("filters of builds", () => {
  test.each([
    ["status=error", true, "status==error"],
    ["status!=error", false, "status!=error"],
    ["status=err", false, "status==err"],
    ["ref=ab", true, "ref~=ab"],
    ["ref!=abc", false, "ref!=abc"],
    ["repository=example.com", true, "repository~=example.com"],
    ["startedAt<30m", true, "startedAt<30m"],
    ["startedAt>30m", false, "startedAt>30m"],
    ["startedAt<=2026-01-01T23:00:00Z", true, "startedAt<=2026-01-01T23:00:00Z"],
    ["completedAt>=2026-01-02T00:00:00Z", true, "completedAt>=2026-01-02T00:00:00Z"],
    ["duration>1m", true, "duration>1m"],
    ["duration<1m", false, "duration<1m"],
    ["duration<=90s", true, "duration<=90s"],
  ])("%s", (text, matches, request) => {
    const filter = parseHistoryFilters([text], now);
    expect(filter.matches(record)).toBe(matches);
    expect(filter.request).toEqual([request]);
  });

  test("all must hold, and are one record of CSV to the daemon", () => {
    const filter = parseHistoryFilters(["status=error", "ref=x,y"], now);
    expect(filter.request).toEqual(['status==error,"ref~=x,y"']);
    expect(filter.matches(record)).toBe(false);
    expect(parseHistoryFilters([], now)).toMatchObject({ request: [] });
  });

  test("a context that is not from a repository has the empty name", () => {
    const local = { ...record, attrs: {} };
    expect(parseHistoryFilters(["repository=x"], now).matches(local)).toBe(false);
    const noted = { ...record, attrs: { "vcs:source": "https://example.com/b.git" } };
    expect(parseHistoryFilters(["repository=b.git"], now).matches(noted)).toBe(true);
  });

  test.each([
    ["status", "invalid filter"],
    ["status<error", "expected = or !="],
    ["duration=1m", "expected <=, <, >= or >"],
    ["duration<soon", "invalid duration soon"],
    ["startedAt<yesterday", "invalid time yesterday"],
    ["startedAt<2026", "invalid time 2026"],
    ["toString=1", "unsupported filter"],
  ])("%s is refused", (text, message) => {
    expect(() => parseHistoryFilters([text], now)).toThrow(message);
  });
});
