import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(`${root}/${path}`, "utf8");
const idsOf = (text: string) => text.match(/\b(?:SEC|FLT|STO|MEM)-\d+\b/g) ?? [];

const page = read("docs/design/requirements.md");
/** Each entry is a line `- **SEC-1**: …`, or `- **SEC-12** (not tested…): …`. */
const entries = [...page.matchAll(/^- \*\*(\S+)\*\*( \(not tested[^)]*\))?: (.+)$/gm)];
const listed = entries.map(([, id]) => id);

const sources = ["src", "test"].flatMap((directory) =>
  readdirSync(`${root}/${directory}`, { recursive: true, encoding: "utf8" })
    .map((path) => `${directory}/${path.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".ts") && path !== "test/unit/requirements.test.ts"),
);
const named = new Map<string, string>();
const tested = new Set<string>();
for (const path of sources) {
  const text = read(path);
  for (const id of idsOf(text)) named.set(id, path);
  // What stands in a string is a title, or a row of a table that titles are made of.
  if (path.endsWith(".test.ts"))
    for (const [title] of text.matchAll(/(?<=["`])[^"`\n]*/g)) for (const id of idsOf(title)) tested.add(id);
}

test("each id that source and tests name has an entry", () => {
  const missing = [...named].filter(([id]) => !listed.includes(id));
  expect(missing.map(([id, path]) => `${id} (${path})`)).toEqual([]);
});

test("each entry has a test that is named by it, or says that it has none", () => {
  const untested = entries.filter(([, id = "", without]) => !without && !tested.has(id));
  expect(untested.map(([, id]) => id)).toEqual([]);
  const wrong = entries.filter(([, id = "", without]) => without && tested.has(id));
  expect(wrong.map(([, id]) => id)).toEqual([]);
});

test("no id has two entries, and no line of the list is anything else", () => {
  expect(listed.filter((id, at) => listed.indexOf(id) !== at)).toEqual([]);
  expect(page.match(/^- /gm)?.length).toBe(entries.length);
});
