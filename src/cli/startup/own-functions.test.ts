import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import vm from "node:vm";
import { build } from "esbuild";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ownFunctions } from "./own-functions.mjs";

let root: string;
beforeEach(() => void (root = fs.mkdtempSync(path.join(os.tmpdir(), "slipway-functions-"))));
afterEach(() => fs.rmSync(root, { recursive: true }));

/** Bundles files of which main.mjs is the entry, as scripts/program.mjs does. */
async function bundle(files: Record<string, string>): Promise<string> {
  for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(root, name), content);
  const { outputFiles } = await build({
    entryPoints: [path.join(root, "main.mjs")],
    bundle: true,
    write: false,
    format: "cjs",
    platform: "node",
    logLevel: "silent",
    minifyIdentifiers: true,
    minifySyntax: true,
    legalComments: "none",
    supported: { "dynamic-import": false },
  });
  return outputFiles[0]?.text ?? "";
}

/** What the bundle's `run` gives. */
async function run(text: string): Promise<unknown> {
  const module = { exports: {} as { run: () => Promise<unknown> } };
  (vm.runInThisContext(`(function(require,module){var exports=module.exports;${text}})`) as Function)(
    () => ({}),
    module,
  );
  return await module.exports.run();
}

/** Functions that stand beside the modules rather than in one. */
const outside = (text: string) => text.match(/^(async )?function/gm)?.length ?? 0;

const files = {
  "main.mjs": `
    export const run = async () => [await (await import("./even.mjs")).run(5), (await import("./classes.mjs")).made()];
    export const other = async () => import("./unused.mjs");
  `,
  // Two that need each other, of all kinds of functions.
  "even.mjs": `
    import { isOdd, numbers } from "./odd.mjs";
    export function isEven(n) { return n === 0 || isOdd(n - 1); }
    export async function run(n) { const found = []; for (const each of numbers(n)) found.push(isEven(each)); return found; }
  `,
  "odd.mjs": `
    import { isEven } from "./even.mjs";
    export function isOdd(n) { return n !== 0 && isEven(n - 1); }
    export function* numbers(n) { while (n > 0) yield --n; }
    export const first = isEven(1);
  `,
  "classes.mjs": `
    import { isOdd as odd } from "./odd.mjs";
    export class Made { constructor() { this.odd = odd(3); } }
    export function made({ isOdd = new Made().odd } = {}) { return { isOdd, name: made.name !== "" }; }
  `,
  "unused.mjs": `export function unused() { return typeof this; }\nexport default function () { return unused(); }`,
};

test("functions of modules are where these are initialized, and do the same", async () => {
  const text = await bundle(files);
  const used = vi.fn();
  const moved = ownFunctions(text, used);
  expect(used).toHaveBeenCalledOnce();
  expect([outside(text), outside(moved)]).toEqual([7, 0]);
  const result = [[true, false, true, false, true], { isOdd: true, name: true }];
  expect(await run(text)).toEqual(result);
  expect(await run(moved)).toEqual(result);
});

test("a module whose functions another names without having it initialized stays as it is", async () => {
  const text = await bundle(files);
  const bare = text.replace(/^(export_\w+|\/\/ .*main\.mjs)$/m, "$1\nvar early = () => typeof $NAME;");
  const [, name] = /^function\* ([\w$]+)/m.exec(text) ?? [];
  expect(name).toBeDefined();
  const moved = ownFunctions(bare.replace("$NAME", name ?? ""));
  expect(moved).toMatch(new RegExp(`^function\\* ${name?.replaceAll("$", "\\$")}\\(`, "m"));
  expect(outside(moved)).toBe(2);
});

test("a text that esbuild has not written is left alone", () => {
  const used = vi.fn();
  expect(ownFunctions("// a.js\nfunction a() {}\n", used)).toBe("// a.js\nfunction a() {}\n");
  expect(used).not.toHaveBeenCalled();
});
