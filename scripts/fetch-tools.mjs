// usage: node scripts/fetch-tools.mjs
// Puts into npm's cache what test/integration/installed-tools.test.ts installs: the testbed has no network.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const checkout = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const text = fs.readFileSync(path.join(checkout, "test/integration/installed-tools.test.ts"), "utf8");
const { dependencies } = JSON.parse(fs.readFileSync(path.join(checkout, "package.json"), "utf8"));
const own = Object.entries(dependencies).map(([name, range]) => `${name}@${range}`);
const lists = [...text.matchAll(/\bpackages: \[([^\]]*)\]/g)].map(([, list]) =>
  [...list.matchAll(/"([^"]+)"/g)].map(([, name]) => name),
);
const versions = [...text.matchAll(/\.\.\.\[([^\]]*)\]\.(?:flatM|m)ap/g)].flatMap(([, list]) =>
  [...list.matchAll(/"([^"]+)"/g)].map(([, name]) => [name]),
);

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "slipway-fetch-tools-"));
try {
  for (const packages of [["testcontainers"], ...versions, ...lists.filter((list) => list.length > 0)]) {
    fs.rmSync(path.join(dir, "node_modules"), { recursive: true, force: true });
    fs.rmSync(path.join(dir, "package-lock.json"), { force: true });
    fs.writeFileSync(path.join(dir, "package.json"), '{"private":true}');
    console.log(packages.join(" "));
    const flags = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
    const { status } = spawnSync("npm", [...flags, ...own, ...packages], { cwd: dir, stdio: "inherit" });
    if (status !== 0) process.exitCode = 1;
  }
} finally {
  fs.rmSync(dir, { recursive: true, force: true });
}
