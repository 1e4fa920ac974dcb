// usage: node scripts/floors.mjs [--write]
// Checks by scripts/house.mjs that source folders import only what stands below them, and that through the other
// folder's index.js; that each folder has its row; and that CONTRIBUTING.md shows the same table, which --write renews.
// Prints what is wrong, and exits with 1.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { houseTable, mayImport } from "./house.mjs";

const checkout = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const src = path.join(checkout, "src");
const guide = path.join(checkout, "CONTRIBUTING.md");

const sources = fs
  .readdirSync(src, { recursive: true })
  .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && !name.startsWith("buildkit/gen/"));
const problems = [...sources.flatMap(problemsOf), ...folderProblems(), ...tableProblems()];
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

function problemsOf(name) {
  const from = folderOf(name);
  const text = fs.readFileSync(path.join(src, name), "utf8");
  const imports = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g)].map((match) => match[1]);
  return imports.flatMap((specifier) => {
    const target = path.join(path.dirname(name), specifier);
    const to = folderOf(target);
    if (to === from) return [];
    if (!mayImport[from]?.includes(to)) return [`src/${name}: ${from} may not import ${to} ("${specifier}")`];
    if (target !== `${to}/index.js` && target !== "index.js") {
      return [`src/${name}: imports "${specifier}", not ${to}/index.js`];
    }
    return [];
  });
}

/** The floor a path inside src belongs to: its first folder, or "index" for the library's face. */
function folderOf(name) {
  return name.includes("/") ? name.slice(0, name.indexOf("/")) : "index";
}

/** Folders without a row, and rows without a folder. */
function folderProblems() {
  const folders = new Set(sources.map(folderOf));
  const missing = [...folders].filter((folder) => !(folder in mayImport));
  const gone = Object.keys(mayImport).filter((folder) => !folders.has(folder));
  return [
    ...missing.map((folder) => `src/${folder}: has no row in scripts/house.mjs`),
    ...gone.map((folder) => `scripts/house.mjs: src/${folder} is not there`),
  ];
}

/** Compares CONTRIBUTING.md's table with the one that is meant; writes it with --write. */
function tableProblems() {
  const text = fs.readFileSync(guide, "utf8");
  const shown = /^\| floor \|.*(?:\n\|.*)*/m;
  const renewed = text.replace(shown, houseTable);
  if (!shown.test(text)) return ["CONTRIBUTING.md: has no table of the floors"];
  if (renewed === text) return [];
  if (!process.argv.includes("--write")) {
    return [
      "CONTRIBUTING.md: its table is not scripts/house.mjs's; node scripts/floors.mjs --write renews it",
    ];
  }
  fs.writeFileSync(guide, renewed);
  return [];
}
