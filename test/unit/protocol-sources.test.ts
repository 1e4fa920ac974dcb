import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("docs/design/protocol-sources.md says of each file of proto/ what it was compared with", () => {
  const page = readFileSync(`${root}/docs/design/protocol-sources.md`, "utf8");
  const listed = [...page.matchAll(/^\| `([\w./]+\.proto)` \| .*\d.* \|$/gm)];
  const files = readdirSync(`${root}/proto`, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".proto"),
  );
  expect(listed.map(([, name]) => name).sort((a = "", b = "") => (a < b ? -1 : 1))).toEqual(
    files.map((name) => name.replaceAll("\\", "/")).sort((a = "", b = "") => (a < b ? -1 : 1)),
  );
});
