import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { afterEach, beforeEach, expect, test } from "vitest";
import { directImports, readDirectImports } from "./direct-imports.mjs";

let root: string;
beforeEach(() => void (root = fs.mkdtempSync(path.join(os.tmpdir(), "slipway-imports-"))));
afterEach(() => fs.rmSync(root, { recursive: true }));

/** Bundles files of which main.ts is the entry, and gives the output. */
async function bundle(files: Record<string, string>): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(root, "src", name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
  }
  const { outputFiles } = await build({
    entryPoints: [path.join(root, "src/main.ts")],
    bundle: true,
    write: false,
    format: "esm",
    logLevel: "silent",
    // Everything that is loaded stands in the output.
    treeShaking: false,
    plugins: [directImports()],
  });
  return outputFiles[0]?.text ?? "";
}

const folder = {
  "folder/index.ts": `// What the folder has.
export { one, type One, uno as first } from "./one.js";
export type { Two } from "./two.js";
export { two } from "./inner/index.js";
export * as three from "./three.js";
`,
  "folder/one.ts": `export type One = 1; export const one = "is one"; export const uno = "is uno";`,
  "folder/inner/index.ts": `/** Passed on. */\nexport { two } from "../two.js";\n`,
  "folder/two.ts": `export type Two = 2; export const two = "is two";`,
  "folder/three.ts": `export const three = "is three";`,
};

test.each([
  ["one", "is one"],
  ["first as f, type One", "is uno"],
  ["two", "is two"],
  ["three", "is three"],
])("importing { %s } from an index loads the file that has it alone", async (names, loaded) => {
  const output = await bundle({ ...folder, "main.ts": `export { ${names} } from "./folder/index.js";\n` });
  expect(output).toContain(loaded);
  const others = ["is one", "is two", "is three"].filter((text) => !output.includes(text));
  expect(others).toHaveLength(2);
});

const named = `import { one } from "./folder/index.js";\nconsole.log(one);\n`;
test.each([
  ["a name that the index has not", { "main.ts": named.replaceAll("one", "four") }, "exports no four"],
  [
    "a whole index",
    { "main.ts": `import * as all from "./folder/index.js";\n` },
    "not a plain list of names from an index: import * as all",
  ],
  [
    "a statement that is written otherwise",
    { "main.ts": `import { one } from './folder/index.js'\n` },
    "not a plain list of names from an index",
  ],
  [
    "an index that passes on all of a file",
    { "main.ts": named, "folder/index.ts": `${folder["folder/index.ts"]}export * from "./one.js";\n` },
    'more than a list of exports: export * from "./one.js";',
  ],
  [
    "an index that does something",
    { "main.ts": named, "folder/index.ts": `${folder["folder/index.ts"]}console.log("loaded");\n` },
    'more than a list of exports: console.log("loaded");',
  ],
])("%s is refused", async (_, files, message) => {
  await expect(bundle({ ...folder, ...files })).rejects.toThrow(message);
});

test("every source file and every index has the form that is read", () => {
  const src = path.join(import.meta.dirname, "..", "..");
  const names = fs.readdirSync(src, { recursive: true, encoding: "utf8" });
  const sources = names.filter((name) => name.endsWith(".ts") && !/(\.test|^index|\/index)\.ts$/.test(name));
  const origins = new Map();
  for (const name of sources) {
    const file = path.join(src, name);
    expect(() => readDirectImports(file, fs.readFileSync(file, "utf8"), origins), name).not.toThrow();
  }
});
