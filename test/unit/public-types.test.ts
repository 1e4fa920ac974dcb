import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

// api/*.d.ts is what users see: what a module exports, then what that names and the module does not export.

const folder = join(import.meta.dirname, "../../api");
const modules = readdirSync(folder).map((name) => {
  const [exported = "", named = ""] = readFileSync(join(folder, name), "utf8").split(
    "// Not exported by this module",
  );
  return { name, exported, named };
});

/** Names that statements at the beginning of a line declare. */
function declared(text: string): string[] {
  const statement =
    /^(?:export )?(?:declare )?(?:abstract )?(?:interface|class|type|const|function|namespace) (\w+)/gm;
  return [...text.matchAll(statement)].map(([, name]) => name as string);
}

test("every type that a public one names can be imported from one of the package's modules", () => {
  const importable = new Set(modules.flatMap(({ exported }) => declared(exported)));
  const hidden = modules.flatMap(({ name, named }) =>
    declared(named)
      .filter((type) => !importable.has(type))
      .map((type) => `${name}: ${type}`),
  );
  expect(hidden).toEqual([]);
});

test("what slipway itself names is slipway's, or that of a module of its own", () => {
  const own = new Set(modules.find(({ name }) => name === "slipway.d.ts")?.exported.match(/\w+/g));
  for (const name of ["AddressTls", "Environment", "CredentialsCallback", "MetadataProvenance"])
    expect(own, name).toContain(name);
});

test("no public type names what comes with a browser or with undici", () => {
  for (const { name, exported, named } of modules)
    expect(`${exported}${named}`, name).not.toMatch(/\b(HeadersInit|BodyInit|RequestInit|Dispatcher)\b/);
});
