import { expect, test } from "vitest";
import { hostRules } from "./host-rules.js";

test("hosts are allowed by name, below a name, and by port", () => {
  const allows = (hosts: string[], url: string) => hostRules(hosts)(new URL(url));
  expect(allows(["example.com"], "https://example.com/a")).toBe(true);
  expect(allows(["EXAMPLE.com"], "http://example.com:8080/a")).toBe(true);
  expect(allows(["example.com"], "https://a.example.com/")).toBe(false);
  expect(allows(["*.example.com"], "https://a.b.example.com/")).toBe(true);
  expect(allows(["*.example.com"], "https://example.com/")).toBe(false);
  expect(allows(["*.example.com"], "https://notexample.com/")).toBe(false);
  expect(allows(["example.com:443"], "https://example.com/")).toBe(true);
  expect(allows(["example.com:80"], "http://example.com/")).toBe(true);
  expect(allows(["example.com:80"], "https://example.com/")).toBe(false);
  expect(allows(["[::1]:8080"], "http://[::1]:8080/")).toBe(true);
  expect(allows([], "http://example.com/")).toBe(false);
  expect(allows(["a", "__proto__"], "http://constructor/")).toBe(false);
});

test("what is no host is refused by name", () => {
  for (const text of ["", "https://example.com", "a/b", "a b", "user@a", "*", "*.", "a.*", "a:99999"])
    expect(() => hostRules([text])).toThrow(`invalid host ${JSON.stringify(text)}`);
});
