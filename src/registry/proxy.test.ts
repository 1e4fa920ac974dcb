import { expect, test } from "vitest";
import { proxyFor } from "./proxy.js";

const proxy = "http://proxy:3128/";
const of = (url: string, env: Record<string, string>) => proxyFor(new URL(url), env)?.href;

test("the variable of the URL's scheme, in either case, with a scheme or without", () => {
  expect(of("https://r.example/x", { HTTPS_PROXY: "http://proxy:3128" })).toBe(proxy);
  expect(of("https://r.example/x", { https_proxy: "proxy:3128" })).toBe(proxy);
  expect(of("http://r.example/x", { HTTPS_PROXY: proxy })).toBeUndefined();
  expect(of("https://r.example/x", { HTTP_PROXY: proxy })).toBeUndefined();
  expect(of("http://r.example/x", { http_proxy: proxy })).toBe(proxy);
});

test("loopback is never proxied", () => {
  for (const url of ["http://localhost:5000/", "http://127.0.0.1/", "http://[::1]:1/"]) {
    expect(of(url, { HTTP_PROXY: proxy })).toBeUndefined();
  }
});

test.each([
  ["*", "https://r.example", true],
  ["r.example", "https://r.example", true],
  ["r.example", "https://a.r.example", true],
  [".r.example", "https://a.r.example", true],
  [".r.example", "https://r.example", false],
  ["*.r.example", "https://r.example", false],
  ["example", "https://notexample", false],
  ["a, R.EXAMPLE ,b", "https://r.example", true],
  ["r.example:443", "https://r.example", true],
  ["r.example:444", "https://r.example", false],
  ["10.0.0.0/8", "https://10.1.2.3:5000", true],
  ["10.0.0.0/8", "https://11.1.2.3", false],
  ["10.1.2.3", "https://10.1.2.3", true],
  ["fd00::/8", "https://[fd00::1]", true],
  ["fd00::1", "https://[fd00::1]", true],
  ["[fd00::1]:443", "https://[fd00::1]", true],
  ["10.0.0.0/99", "https://10.1.2.3", false],
])("NO_PROXY %s for %s", (noProxy, url, excluded) => {
  expect(of(url, { HTTPS_PROXY: proxy, NO_PROXY: noProxy }) === undefined).toBe(excluded);
});

test("a wrong address is named by its variable, not shown", () => {
  expect(() => of("https://r.example", { HTTPS_PROXY: "ftp://u:secret@x" })).toThrow(
    /^invalid proxy address in HTTPS_PROXY$/,
  );
});

test("a user or a password with a bad escape is named by its variable, not shown", () => {
  for (const value of ["http://us%er:word@proxy:3128", "http://user:50%word@proxy:3128"]) {
    const told = () => of("https://r.example/", { https_proxy: value });
    expect(told).toThrow(/^invalid proxy address in HTTPS_PROXY: .*invalid URL escape; .* %25$/);
    expect(told).not.toThrow(/word@|us%er/);
  }
  // Bytes that are no text are what they are.
  expect(of("https://r.example/", { HTTPS_PROXY: "http://u:%FF@proxy:3128" })).toBe(
    "http://u:%FF@proxy:3128/",
  );
});
