import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(`${root}/${path}`, "utf8");
const tests = ["src", "test"].flatMap((dir) =>
  readdirSync(`${root}/${dir}`, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.ts"))
    .map((path) => `${dir}/${path.replaceAll("\\", "/")}`),
);

/** Ids in names of tests: `test("SEC-1 …`, `describe("SEC-2 …`. */
const proven = new Set(tests.flatMap((path) => read(path).match(/(?<=["`(][^"`\n]*)\bSEC-\d+\b/g) ?? []));

test("SECURITY.md names a test for each promise, and each is there", () => {
  const text = read("SECURITY.md");
  const [, promises = ""] = text.split("## What that means\n");
  const items = (promises.split("\n## ")[0] ?? "").split("\n").filter((line) => line.startsWith("- "));
  expect(items.length).toBeGreaterThan(10);
  expect(items.filter((item) => !/\bSEC-\d+\b/.test(item))).toEqual([]);
  const named = text.match(/\bSEC-\d+\b/g) ?? [];
  expect([...new Set(named)].filter((id) => !proven.has(id))).toEqual([]);
  const files = text.match(/`(?:src|test)\/[\w./-]+\.test\.ts`/g) ?? [];
  expect(files.map((file) => file.slice(1, -1)).filter((file) => !tests.includes(file))).toEqual([]);
});
