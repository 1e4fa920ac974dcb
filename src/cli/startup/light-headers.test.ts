import { describe, expect, test } from "vitest";
import { LightHeaders } from "./light-headers.js";

/** Does the same to the global headers and to ours, and gives what became of both. */
function both(act: (headers: Headers | LightHeaders) => unknown, init?: Record<string, string>) {
  const outcomes = [new Headers(init), new LightHeaders(init)].map((headers) => {
    const result = act(headers);
    return { result, entries: [...headers], keys: [...headers.keys()], values: [...headers.values()] };
  });
  return { global: outcomes[0], light: outcomes[1] };
}

describe("LightHeaders is what the global Headers is", () => {
  const init = { "Content-Type": "application/grpc", te: " trailers ", "x-A": "1" };
  test.each<[string, (headers: Headers | LightHeaders) => unknown]>([
    ["append", (headers) => (headers.append("X-a", "2 "), headers.append("new", ""), headers.get("x-a"))],
    ["set", (headers) => (headers.set("X-A", "\t9\n"), headers.get("x-a"))],
    ["delete", (headers) => (headers.delete("TE"), headers.has("te"))],
    ["get and has", (headers) => [headers.get("te"), headers.has("none"), headers.get("none")]],
    [
      "forEach",
      (headers) => {
        const seen: string[] = [];
        headers.forEach((value: string, name: string) => seen.push(`${name}=${value}`));
        return seen;
      },
    ],
    ["entries", (headers) => [...headers.entries()]],
    ["a number for a value", (headers) => (headers.set("n", 1 as unknown as string), headers.get("n"))],
  ])("%s", (_name, act) => {
    const { global, light } = both(act, init);
    expect(light).toEqual(global);
  });

  test("made of headers, of pairs, of nothing", () => {
    const pairs: [string, string][] = [
      ["b", "1"],
      ["a", "2"],
      ["B", "3"],
    ];
    expect([...new LightHeaders(pairs)]).toEqual([...new Headers(pairs)]);
    expect([...new LightHeaders(new LightHeaders(pairs))]).toEqual([...new Headers(new Headers(pairs))]);
    expect([...new LightHeaders()]).toEqual([]);
  });

  test.each([
    ["na me", "value"],
    ["", "value"],
    ["name", "va\nlue"],
    ["name", "va\0lue"],
    ["name", "ä€"],
  ])("refuses %j: %j", (name, value) => {
    expect(() => new Headers({ [name]: value })).toThrow(TypeError);
    expect(() => new LightHeaders({ [name]: value })).toThrow(TypeError);
  });
});
