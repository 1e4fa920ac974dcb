// Checks that source folders import only what stands below them, and that through the other folder's index.js.
// Prints each import that does not, and exits with 1.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const src = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), "src");

const ground = ["core", "config", "fs"];
/** What each folder may import. A folder that is not here fails the check. */
const floors = {
  index: ["build", "manage", "progress", "builder", ...ground],
  testcontainers: ["index", "build", "manage", "progress", "builder", "buildkit", "engine-api", ...ground],
  cli: ["index", "build", "manage", "report", "progress", "builder", ...ground],
  manage: ["build", "builder", "session", "buildkit", "registry", "engine-api", ...ground],
  build: ["progress", "builder", "session", "buildkit", "registry", "engine-api", ...ground],
  report: ["progress", ...ground],
  progress: [...ground],
  builder: ["driver", ...ground],
  driver: ["buildkit", "registry", "engine-api", ...ground],
  session: ["buildkit", "http2", "registry", ...ground],
  buildkit: ["http2", ...ground],
  http2: [...ground],
  registry: [...ground],
  "engine-api": [...ground],
  config: ["core", "fs"],
  fs: ["core"],
  core: [],
};

const problems = fs
  .readdirSync(src, { recursive: true })
  .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && !name.startsWith("buildkit/gen/"))
  .flatMap(problemsOf);
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
    if (!floors[from]?.includes(to)) return [`src/${name}: ${from} may not import ${to} ("${specifier}")`];
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
