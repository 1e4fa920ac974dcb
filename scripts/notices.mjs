// usage: node scripts/notices.mjs [--check]
// Writes THIRD-PARTY-NOTICES: the licences of other packages whose code is in the bundled command, by what the bundler says
// that it put there. With --check nothing is written, and a file that is not as it would be written is an error.
// The library, dist/lib, holds no other package's code: it imports what it needs.
import fs from "node:fs";
import path from "node:path";
import { bundleProgram, checkout } from "./program.mjs";

/** undici's HTTP parser is another project's, as WebAssembly, and undici's package does not have its licence. */
const llhttp = `Its HTTP parser is llhttp, https://github.com/nodejs/llhttp:

Copyright Fedor Indutny, 2018.

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in
all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN
THE SOFTWARE.
`;

const { inputs } = await bundleProgram();
const packages = new Map();
for (const input of inputs) {
  const file = input.replace(/^.*:/, "");
  const [, root] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file) ?? [];
  if (!root) continue;
  if (!packages.has(root)) packages.set(root, []);
  packages.get(root).push(file);
}

/** Where each text stands first. */
const seen = new Map();
const parts = [...packages].sort(([a], [b]) => inOrder(a, b)).map(([root, files]) => noticeOf(root, files));
const notices = `slipway's command contains code of these packages.\n\n${parts.join("\n")}`;
const target = path.join(checkout, "THIRD-PARTY-NOTICES");
if (!process.argv.includes("--check")) fs.writeFileSync(target, notices);
else if (!fs.existsSync(target) || fs.readFileSync(target, "utf8") !== notices) {
  console.error("THIRD-PARTY-NOTICES is not up to date: run `npm run notices`");
  process.exitCode = 1;
}

function noticeOf(root, files) {
  const { name, license } = JSON.parse(read(root, "package.json"));
  const texts = [...licencesOf(root, files), ...(name === "undici" ? [llhttp] : [])];
  if (texts.length === 0) throw new Error(`${name} has no licence that could be passed on`);
  return `${"=".repeat(80)}\n${name}, ${license.replace(/^\((.*)\)$/, "$1")}\nhttps://www.npmjs.com/package/${name}\n\n${texts.map((text) => once(text, name)).join("\n")}`;
}

/** Texts of the licence files beside and above the files, or what the files begin with where the package has none. */
function licencesOf(root, files) {
  const folders = new Set();
  for (const file of files)
    for (let folder = path.dirname(file); folder.startsWith(root); folder = path.dirname(folder))
      folders.add(folder);
  const found = [...folders].sort(inOrder).flatMap((folder) =>
    fs
      .readdirSync(path.join(checkout, folder))
      .filter((name) => /^(licen[cs]e|notice|copying)/i.test(name))
      .map((name) => read(folder, name)),
  );
  if (found.length > 0) return found;
  const headers = files.flatMap((file) => /^(?:\/\/.*\n)+/.exec(read(file)) ?? []);
  return [...new Set(headers)].map((text) => text.replaceAll(/^\/\/ ?/gm, "")).sort(inOrder);
}

function once(text, name) {
  const trimmed = `${text.replaceAll("\r\n", "\n").trim()}\n`;
  if (seen.has(trimmed)) return `The same text as for ${seen.get(trimmed)}.\n`;
  seen.set(trimmed, name);
  return trimmed;
}

function read(...names) {
  return fs.readFileSync(path.join(checkout, ...names), "utf8");
}

function inOrder(a, b) {
  return a < b ? -1 : 1;
}
