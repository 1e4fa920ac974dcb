import { PassThrough, Readable } from "node:stream";
import { expect, test } from "vitest";
import { readWaiting } from "../../test/support/read-waiting.js";
import { formatRows, printRows } from "./format/index.js";
import { Printer } from "./printer.js";

const attack = "name \x1b]52;c;QUJD\x07\x1b[2J\u009b2J\x1b]8;;https://evil.example\x07x\x1b]8;;\x07 end";
const clean = "name x end";

function printer({ isTTY = false, env = {} }: { isTTY?: boolean; env?: Record<string, string> } = {}) {
  const stream = Object.assign(new PassThrough(), { isTTY });
  return { to: new Printer(stream, env), read: () => String(readWaiting(stream)) };
}

test("SEC-31 no way to a terminal leaves control sequences in", async () => {
  const { to, read } = printer({ isTTY: true });
  to.text(attack);
  expect(read()).toBe(clean);
  to.values(attack);
  expect(read()).toBe(clean);
  to.bytes(Buffer.from(attack));
  expect(read()).toBe(clean);
  await to.copy(Readable.from([Buffer.from(attack.slice(0, 9)), Buffer.from(attack.slice(9))]));
  expect(read()).toBe(clean);
});

test("SEC-31 JSON on a terminal keeps its value", () => {
  const { to, read } = printer({ isTTY: true });
  const value = { name: "a\u009b2Jb\u007f" };
  to.json(JSON.stringify(value));
  const shown = read();
  expect(shown).toBe('{"name":"a\\u009b2Jb\\u007f"}');
  expect(JSON.parse(shown)).toEqual(value);
});

test("SEC-32 values, JSON and documents reach a pipe as they are; text does not", () => {
  const { to, read } = printer();
  to.values(attack);
  to.bytes(Buffer.from(attack));
  expect(read()).toBe(attack + attack);
  to.json('"\u009b"');
  expect(read()).toBe('"\u009b"');
  to.text(attack);
  expect(read()).toBe(clean);
});

test("SEC-33 no text is a command to a workflow that reads the log", () => {
  const { to, read } = printer({ env: { GITHUB_ACTIONS: "true" } });
  to.text("label\n::error::a\n##[error]b\n");
  expect(read()).toBe("label\n> ::error::a\n## [error]b\n");
  to.values("::add-mask::a\n");
  expect(read()).toBe("> ::add-mask::a\n");
  to.json('{"a":"##[error]b"}');
  expect(read()).toBe('{"a":"##\\u005berror]b"}');
  const gitlab = printer({ env: { GITLAB_CI: "true" } });
  gitlab.to.text("section_start:1:a\n");
  expect(gitlab.read()).toBe("section_start :1:a\n");
});

test("SEC-57 a terminal gets the links that were made here, and no others", () => {
  const { to, read } = printer({ isTTY: true });
  const link = to.link("https://example.com/a", "Open");
  to.text(`${link}|\x1b]8;;https://evil.example\x07x\x1b]8;;\x07`);
  expect(read()).toContain("\x1b]8;;https://example.com/a\x07Open\x1b]8;;\x07|x");
  expect(printer().to.link("https://example.com/a", "Open")).toBe("");
});

test("SEC-31 a text with newlines and tabs stays in its cell of a table", () => {
  const { to, read } = printer({ isTTY: true });
  const link = to.link("https://example.com/a", "Open");
  const options = {
    format: "table",
    defaultTable: "{{.Name}}\t{{.Link}}",
    headers: { Name: "NAME", Link: "" },
    rows: [{ fields: { Name: "a\nfake row\r\tb\x1b[2J", Link: link } }],
  };
  printRows(to, options);
  const lines = read().split("\n");
  expect(lines).toHaveLength(3);
  expect(lines[1]).toMatch(/^a fake row  b /);
  expect(lines[1]).toContain(link);
  expect(formatRows({ ...options, format: "json" })).toContain("a\\nfake row");
});
