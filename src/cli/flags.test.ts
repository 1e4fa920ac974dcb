import { expect, test } from "vitest";
import { parseDriverOptFlags } from "../builder/index.js";
import { collectList, keyValues, namedContexts, switchOrList } from "./flags.js";

test("lists are CSV records: a value in quotes may hold commas", () => {
  expect(collectList('"fault:10.0.0.1,10.0.0.2",b', ["a"])).toEqual(["a", "fault:10.0.0.1,10.0.0.2", "b"]);
  expect(collectList("", undefined)).toEqual([]);
  expect(() => collectList('a"b', undefined)).toThrow('bare " in non-quoted field');
  expect(switchOrList('"a,b",c')).toEqual(["a,b", "c"]);
  expect(switchOrList("")).toEqual([]);
});

test("a key may be named as what every object has", () => {
  expect(Object.entries(keyValues(["__proto__=1", "toString=2"], ""))).toEqual([
    ["__proto__", "1"],
    ["toString", "2"],
  ]);
});

test("names and options that JavaScript's objects know are like any other", () => {
  const names = ["__proto__", "toString", "constructor"];
  expect(Object.entries(namedContexts(names.map((name) => `${name}=a=b`)))).toEqual(
    names.map((name) => [name, "a=b"]),
  );
  expect(Object.entries(parseDriverOptFlags([names.map((name) => `${name}=c`).join(",")]))).toEqual(
    names.map((name) => [name, "c"]),
  );
});
