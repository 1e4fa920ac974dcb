import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { isSlipwayError } from "./core/index.js";
import { DriverError } from "./driver/index.js";

const source = fileURLToPath(new URL(".", import.meta.url));

/** Codes of the union that the compiler holds every error to. */
function union(): Set<string> {
  const text = readFileSync(path.join(source, "core", "error-codes.ts"), "utf8");
  return new Set([...text.matchAll(/\| "(\w+)"/g)].map(([, code]) => code ?? ""));
}

/** Codes that the source names anywhere but there. */
function used(): Set<string> {
  const found = new Set<string>();
  for (const name of readdirSync(source, { recursive: true, encoding: "utf8" })) {
    if (!/(?<!\.test)\.ts$/.test(name) || name.includes(`${path.sep}gen${path.sep}`)) continue;
    if (name.endsWith("error-codes.ts")) continue;
    const text = readFileSync(path.join(source, name), "utf8");
    for (const [, code = ""] of text.matchAll(/"([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)*)"/g)) found.add(code);
  }
  return found;
}

test("every error code is in the documentation, and none that there is not", () => {
  const page = readFileSync(path.join(source, "..", "docs", "troubleshooting.md"), "utf8");
  const rows = page.split("\n").filter((line) => line.startsWith("| `"));
  const documented = rows.flatMap((row) =>
    [...(row.split("|")[1] ?? "").matchAll(/`(\w+)`/g)].map(([, code]) => code),
  );
  expect(new Set(documented)).toEqual(union());
});

test("every code of the union is thrown somewhere", () => {
  const names = used();
  expect([...union()].filter((code) => !names.has(code))).toEqual([]);
});

test("isSlipwayError takes one code or several, and narrows by them", () => {
  const error: unknown = new DriverError("DRIVER_BOOT", "it does not boot");
  expect(isSlipwayError(error, "DRIVER_BOOT")).toBe(true);
  expect(isSlipwayError(error, ["DRIVER_CONNECT", "DRIVER_BOOT"])).toBe(true);
  expect(isSlipwayError(error, ["DRIVER_CONNECT"])).toBe(false);
  expect(isSlipwayError(error)).toBe(true);
  if (isSlipwayError(error, ["DRIVER_BOOT", "DEADLINE"])) {
    const { code }: { code: "DRIVER_BOOT" | "DEADLINE" } = error;
    expect(code).toBe("DRIVER_BOOT");
  }
  // @ts-expect-error -- there is no such code
  expect(isSlipwayError(error, "DRIVER_BOTO")).toBe(false);
  // @ts-expect-error -- not one of this class
  expect(new DriverError("DEADLINE", "x").code).toBe("DEADLINE");
});
