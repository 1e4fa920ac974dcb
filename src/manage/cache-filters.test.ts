import { expect, test } from "vitest";
import {
  cacheFilterNames,
  checkCacheFilter,
  parseCacheFilters,
  withConfiguredFilters,
} from "./cache-filters.js";

test("filters of the command become one in BuildKit's language", () => {
  expect(parseCacheFilters([])).toEqual({ filter: [] });
  expect(parseCacheFilters(["ID=x", "type=regular", "label!=a", "until=1h"])).toEqual({
    filter: ["id~=x,type==regular,label!=a"],
    keepDuration: 3_600_000,
  });
  expect(parseCacheFilters(["unused-for=1m", "unused-for=1m"]).keepDuration).toBe(60_000);
  for (const [texts, message] of [
    [["x"], "bad format of filter"],
    [["a=1", "a=2"], '"a" filter expects only one value'],
    [["until=1h", "unused-for=1h"], 'conflicting filters "until" and "unused-for"'],
    [["until=soon"], '"until" filter expects a duration'],
  ] as const)
    expect(() => parseCacheFilters(texts), message).toThrow(message);
});

test("configured filters are added, but for labels that the command line speaks of otherwise", () => {
  const configured = ["label=keep", "label!=old", "broken", "until=1h"];
  expect(withConfiguredFilters(["label!=keep"], configured)).toEqual([
    "label!=keep",
    "label!=old",
    "until=1h",
  ]);
});

test.each([
  ["shared=true", "shared"],
  ["shared=", "shared"],
  ["shared=false", "private"],
  ["shared!=true", "private"],
  ["mutable=0", "immutable"],
  ["inuse=1", "inuse"],
])("what a record is or is not is asked for by presence: %s", (text, filter) =>
  expect(parseCacheFilters([text])).toEqual({ filter: [filter] }),
);

test.each(["inuse=false", "inuse!=true", "shared=maybe", "shared~=true"])(
  "what the daemon has no word for is refused: %s",
  (text) => expect(() => parseCacheFilters([text])).toThrow(`invalid filter "${text}", expecting `),
);

test("a filter of what no record has is refused by name", () => {
  for (const name of cacheFilterNames) checkCacheFilter(`${name}=x`);
  for (const text of ["ID=x", "type!=x", "description~=x"]) checkCacheFilter(text);
  expect(() => checkCacheFilter("bogus=1")).toThrow('unknown filter "bogus"; filters are description, id,');
  expect(() => checkCacheFilter("tpye=1")).toThrow('unknown filter "tpye", did you mean type?;');
  expect(() => checkCacheFilter("label=x")).toThrow('unknown filter "label"');
});
