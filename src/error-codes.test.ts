import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const source = fileURLToPath(new URL(".", import.meta.url));

/** Codes of errors in the source: of the types that list them, and given on the spot. */
function codes(): Set<string> {
  const found = new Set<string>();
  for (const name of readdirSync(source, { recursive: true, encoding: "utf8" })) {
    if (!/(?<!\.test)\.ts$/.test(name) || name.includes(`${path.sep}gen${path.sep}`)) continue;
    const text = readFileSync(path.join(source, name), "utf8");
    for (const [, union = ""] of text.matchAll(/type \w+Code\s*=([^;]*);/g))
      for (const [, code = ""] of union.matchAll(/"([A-Z0-9_]+)"/g)) found.add(code);
    for (const [, code = ""] of text.matchAll(/(?:super|Error)\(\s*"([A-Z][A-Z0-9_]+)"/g)) found.add(code);
  }
  return found;
}

test("every error code is in the documentation, and none that there is not", () => {
  const page = readFileSync(path.join(source, "..", "docs", "troubleshooting.md"), "utf8");
  const rows = page.split("\n").filter((line) => line.startsWith("| `"));
  const documented = rows.flatMap((row) =>
    [...(row.split("|")[1] ?? "").matchAll(/`(\w+)`/g)].map(([, code]) => code),
  );
  expect(new Set(documented)).toEqual(codes());
});
